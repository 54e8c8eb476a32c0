import CacheModel

/// Text for HTML and SVG: names from a cache are whatever someone called a directory.
enum HTMLText {
    /// The text with all that HTML reads as markup escaped, and without control characters.
    static func escaped(_ text: String) -> String {
        var safe = ""
        for scalar in DisplayWidth.printable(text).unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    /// A table; in details where a plot shows the same.
    ///
    /// An id may be on a page once: the second time a table is shown it is not named.
    static func table(_ table: ReportTable, folded: Bool, id: String, isNamed: Bool = true) -> String {
        let title = escaped(table.title)
        let heads = table.columns.enumerated().map { place, column in
            let kind = table.rows.first?[place].isNumber ?? true ? " class=\"n\"" : ""
            return "<th scope=\"col\"\(kind)>\(column.title.isEmpty ? "note" : escaped(column.title))</th>"
        }
        let note = table.reclaim.map {
            "<p class=\"soft\">To evict, for example: <code>\(escaped($0))</code></p>"
        }
        func cells(_ row: [ReportTable.Cell]) -> String {
            "<tr>" + row.map { "<td\($0.isNumber ? " class=\"n\"" : "")>\(escaped($0.shown))</td>" }.joined()
                + "</tr>"
        }
        func scrolled(_ rows: ArraySlice<[ReportTable.Cell]>, _ label: String, _ caption: String, named: Bool)
            -> String
        {
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(label), \(escaped(id))\">"
                + (named ? "<table id=\"\(escaped(id))-\(table.name)-table\">" : "<table>")
                + "\(caption)<thead><tr>\(heads.joined())</tr></thead><tbody>\n"
                + rows.map(cells).joined(separator: "\n") + "\n</tbody>"
                + (named || folded ? table.sum.map { "<tfoot>\(cells($0))</tfoot>" } ?? "" : "")
                + "</table></div>"
        }
        let caption = folded ? "<caption class=\"hidden\">\(title)</caption>" : "<caption>\(title)</caption>"
        guard !folded else {
            let whole = scrolled(table.rows[...], title, caption, named: isNamed)
            return "<details><summary>Data: \(title.lowercased())</summary>\(whole)\(note ?? "")</details>"
        }
        var body = scrolled(table.rows.prefix(mostRows), title, caption, named: isNamed)
        let rest = table.rows.dropFirst(mostRows)
        if !rest.isEmpty {
            let hidden = "<caption class=\"hidden\">\(title), the rest</caption>"
            body +=
                "<details><summary>\(rest.count) more</summary>"
                + scrolled(rest, "\(title), the rest", hidden, named: false) + "</details>"
        }
        return "<div>\(body)\(note ?? "")</div>"
    }

    /// What belongs to no pool, the largest directories first; nothing where there is none.
    static func unmanaged(_ directories: [UnmanagedDirectory], most: Int) -> String {
        guard !directories.isEmpty else { return "" }
        let more = directories.count - most
        return "<p>Belongs to no pool and is never pruned:</p><ul class=\"keys\">"
            + directories.prefix(most).map { "<li>\(escaped($0.inWords))</li>" }.joined()
            + (more > 0 ? "<li>… and \(more) more</li>" : "") + "</ul>\n"
    }

    /// A part of a page, folded below a line that says what is in it; nothing where nothing is.
    ///
    /// Its mark is on the content: a link to what lies in a closed `details` opens it.
    ///
    /// - Parameter id: the mark, as HTML; nil for none.
    static func fold(_ title: String, _ gist: String, _ content: String, id: String? = nil) -> String {
        guard !content.isEmpty else { return "" }
        let mark = id.map { " id=\"\($0)\"" } ?? ""
        return
            "<details class=\"fold\"><summary><h3>\(title)</h3> <span>\(escaped(gist))</span></summary>\n"
            + "<div\(mark)>\n\(content)</div></details>\n"
    }

    /// How many rows of a table are shown at once.
    private static let mostRows = 10

    /// The style of the report: light and dark as the reader's system is, and for paper.
    static let style = """
        :root{color-scheme:light dark;--page:#fff;--ink:#1b2733;--soft:#51606e;--line:#d5dce3;--card:#f5f7f9;
        --main:#0b62b0;--fill:#cfe3f5;--good:#1a7240;--warn:#9a4a00;--t0:#cfe3f5;--t1:#d3ecd9;--t2:#fbe3c4;
        --t3:#e6dcf5;--t4:#f7d6d9;--t5:#dfe4e8;--shade:#0003;--a0:#bfe6cf;--a1:#dcedc0;--a2:#f6edb9;--a3:#fbdcae;
        --a4:#f6c4a6;--a5:#ecb3b3}
        @media (prefers-color-scheme:dark){:root{--page:#12181e;--ink:#e8edf2;--soft:#a9b6c2;--line:#36424e;
        --card:#1a222a;--main:#6db7f7;--fill:#1d3f5e;--good:#6fce93;--warn:#f0a860;--t0:#1d3f5e;--t1:#1f4a31;
        --t2:#54401d;--t3:#3f3260;--t4:#5a2c33;--t5:#333e49;--shade:#000a;--a0:#1c5136;--a1:#3b511f;--a2:#56511c;--a3:#63481b;--a4:#69381d;
        --a5:#6e2a2f}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:76rem;padding:1.5rem 1.25rem 3rem;background:var(--page);color:var(--ink);
        font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
        h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.35rem;margin:2.5rem 0 .5rem;padding-top:1.25rem;
        border-top:2px solid var(--line)}h3{font-size:1.05rem;margin:2rem 0 .25rem}
        p{margin:.5rem 0;max-width:62rem}.soft,figcaption span{color:var(--soft)}
        p.advised{font-size:1.5rem;font-weight:700;margin:.25rem 0 .5rem}p.advised::first-letter{text-transform:uppercase}
        nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0}a{color:var(--main)}
        .first{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem 1.5rem;
        align-items:start}.first>div,.beside>div{min-width:0}
        .beside{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 2rem}
        .parts{display:flex;height:1.6rem;border-radius:.3rem;overflow:hidden;max-width:62rem}
        .parts span{min-width:2px;border-right:1px solid var(--page)}
        span.t0{background:var(--t0)}span.t1{background:var(--t1)}span.t2{background:var(--t2)}
        span.t3{background:var(--t3)}span.t4{background:var(--t4)}span.t5{background:var(--t5)}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.4rem 0 1rem}
        .key{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.4rem}
        .outcome{font-size:1.15rem;font-weight:600;color:var(--good)}.outcome.missing{color:var(--warn)}
        dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:1rem 0}
        dl div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
        dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.1rem;font-weight:600}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1rem;
        align-items:start}
        figure{margin:0;min-width:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;
        padding:.8rem}
        figcaption{font-weight:600}figcaption span{font-weight:400;display:block;font-size:.9rem}
        svg{display:block;width:100%;height:auto;margin:.5rem 0}
        svg text{font:11px system-ui,"Liberation Sans",sans-serif;fill:var(--ink)}svg .tick{fill:var(--soft)}
        svg .label{paint-order:stroke;stroke:var(--card);stroke-width:3px}
        .grid{stroke:var(--line);stroke-width:1}.curve{fill:none;stroke:var(--main);stroke-width:2.5}
        .area,.bar{fill:var(--fill)}.bar{stroke:var(--main);stroke-width:1}.dot{fill:var(--main)}
        .today{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3}
        line.advised{stroke:var(--good);stroke-width:2;stroke-dasharray:7 3}
        .t0{fill:var(--t0)}.t1{fill:var(--t1)}.t2{fill:var(--t2)}.t3{fill:var(--t3)}.t4{fill:var(--t4)}
        .t5{fill:var(--t5)}.a0{fill:var(--a0);background:var(--a0)}.a1{fill:var(--a1);background:var(--a1)}
        .a2{fill:var(--a2);background:var(--a2)}.a3{fill:var(--a3);background:var(--a3)}
        .a4{fill:var(--a4);background:var(--a4)}.a5{fill:var(--a5);background:var(--a5)}
        .ideal{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:5 4}
        .value{fill:transparent}.value:hover{fill:var(--main)}.band{fill:var(--main);opacity:.22}
        .forecast{fill:none;stroke:var(--main);stroke-width:1.5;stroke-dasharray:3 3}.prune{fill:var(--warn)}
        .cell{stroke:var(--card);stroke-width:2}
        .scroll{overflow-x:auto;max-width:100%;margin:.75rem 0;scrollbar-width:thin;
        background:linear-gradient(to right,var(--page) 40%,transparent) 0 0/2rem 100% no-repeat local,
        linear-gradient(to left,var(--page) 40%,transparent) 100% 0/2rem 100% no-repeat local,
        linear-gradient(to right,var(--shade),transparent) 0 0/.7rem 100% no-repeat scroll,
        linear-gradient(to left,var(--shade),transparent) 100% 0/.7rem 100% no-repeat scroll}
        figure .scroll{max-height:24rem;overflow-y:auto}
        table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;min-width:50%}
        caption{text-align:left;font-weight:600;padding:.25rem 0}.hidden{position:absolute;width:1px;height:1px;
        overflow:hidden;clip-path:inset(50%)}
        th,td{text-align:left;padding:.25rem .55rem .25rem 0;border-bottom:1px solid var(--line);
        vertical-align:top}td:not(.n){min-width:7.2rem;overflow-wrap:anywhere}th{color:var(--soft);font-weight:600}
        tfoot td{font-weight:600;border-bottom:0}
        .n{text-align:right;white-space:nowrap}
        code{font-family:ui-monospace,"Liberation Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
        details.fold{border-top:1px solid var(--line);padding:.35rem 0}details.fold>summary h3{display:inline;margin:0}
        details.fold>summary span{color:var(--soft);margin-left:.35rem}details.fold>div{padding:.25rem 0 .75rem}
        summary{cursor:pointer;color:var(--main)}:focus-visible{outline:3px solid var(--main);outline-offset:2px}
        @media print{:root{color-scheme:light;--page:#fff;--ink:#000;--soft:#333;--line:#999;--card:#fff;
        --main:#0b4a85;--fill:#dce8f3;--good:#0b4a25;--warn:#6b3300;--t0:#cfe3f5;--t1:#d3ecd9;--t2:#fbe3c4;
        --t3:#e6dcf5;--t4:#f7d6d9;--t5:#dfe4e8;--a0:#bfe6cf;--a1:#dcedc0;--a2:#f6edb9;--a3:#fbdcae;
        --a4:#f6c4a6;--a5:#ecb3b3}nav{display:none}body{padding:0;font-size:10pt}figure,tr{break-inside:avoid}
        h2,h3{break-after:avoid}.plots{grid-template-columns:1fr 1fr}summary{list-style:none;break-after:avoid}
        details:not(.fold)>summary{display:none}::details-content{content-visibility:visible;display:block}
        .scroll,figure .scroll{max-height:none;overflow:visible}}
        """
}
