#!/usr/bin/env python3
"""Checks HTML files for accessibility: axe-core in headless Chromium, light and dark, at 1280 and 390 pixels.

    Tests/Accessibility/check.py FILE.html… [--most-screens N] [--prints-all] [--shots DIR]

Prints what axe-core finds and exits with 1 where it finds anything, or where a page is wider than its window;
with --most-screens also where it is that many screens of 1280 × 800 pixels or more, with --prints-all also where
paper has less than the screen with everything opened; with --shots writes a picture of each view. Needs `chromium` and axe-core, which the PyPI package
axe-playwright-python brings along (its Playwright is not needed: `pip install --no-deps`); exits with 77 where one
of them is missing. The page is checked as a copy without its content security policy, which forbids scripts.
"""

import argparse
import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PROBE = """
addEventListener('load', () => {
  const run = {runOnly: RULES, resultTypes: ['violations']};
  axe.run(document, run).then(found => {
    const out = document.createElement('pre');
    out.id = 'axe-result';
    out.textContent = JSON.stringify({
      wide: document.documentElement.scrollWidth - innerWidth,
      high: Math.ceil(document.body.getBoundingClientRect().bottom),
      dark: matchMedia('(prefers-color-scheme: dark)').matches,
      passes: found.passes.length,
      violations: found.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html)}))});
    document.body.append(out);
  });
});
"""


def axe_core():
    """The text of axe-core, or None."""
    named = os.environ.get("LARDER_AXE")
    if named:
        return Path(named).read_text()
    package = importlib.util.find_spec("axe_playwright_python")
    for place in package.submodule_search_locations if package else []:
        script = Path(place) / "axe.min.js"
        if script.exists():
            return script.read_text()
    return None


def chromium(profile, dark, *arguments):
    """Runs Chromium once and returns what it prints."""
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--virtual-time-budget=20000", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180).stdout


def paper(page, profile):
    """How many sheets a page takes when it is printed."""
    (profile / "printed.html").write_text(page)
    sheets = profile / "printed.pdf"
    chromium(profile / "chromium", False, f"--print-to-pdf={sheets}", f"file://{profile / 'printed.html'}")
    return len(re.findall(rb"/Type\s*/Page\b", sheets.read_bytes()))


def check(file, axe, arguments, shots, profile):
    """The problems of one page, each a line."""
    page = file.read_text()
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    script = f"<script>{axe}</script><script>{PROBE.replace('RULES', json.dumps(RULES))}</script></head>"
    with_axe = policy.sub("", page).replace("</head>", "\0", 1).replace("\0", script)
    problems = []
    for width in (1280, 390):
        for dark in (False, True):
            view = f"{file.name} {width} {'dark' if dark else 'light'}"
            # Headless Chromium makes no window below 500 pixels: a frame of that width stands in for it.
            probe = profile / "probe.html"
            probe.write_text(with_axe)
            outer = profile / "outer.html"
            outer.write_text(
                "<!DOCTYPE html><html lang=en><title>frame</title><style>*{margin:0;border:0}</style>"
                f"<iframe id=f src=probe.html title=page width={width} height=900></iframe><script>"
                "const wait = setInterval(() => { const found = document.getElementById('f').contentDocument"
                ".getElementById('axe-result'); if (found) { clearInterval(wait); const pre = "
                "document.createElement('pre'); pre.id = 'result'; pre.textContent = found.textContent; "
                "document.body.append(pre); } }, 50);</script>")
            dom = chromium(
                profile / "chromium", dark, "--allow-file-access-from-files", "--dump-dom", f"file://{outer}")
            match = re.search(r'<pre id="result">(.*?)</pre>', dom, re.S)
            if not match:
                problems.append(f"{view}: axe-core gave no result")
                continue
            result = json.loads(html.unescape(match.group(1)))
            if result["dark"] != dark:
                problems.append(f"{view}: the color scheme could not be set")
            if result["wide"] > 0:
                problems.append(f"{view}: {result['wide']} pixels wider than the window")
            screens = result["high"] / 800
            if arguments.most_screens and width == 1280 and screens >= arguments.most_screens:
                problems.append(f"{view}: {screens:.1f} screens, of which less than {arguments.most_screens} are allowed")
            if not result["passes"]:
                problems.append(f"{view}: axe-core checked nothing")
            for violation in result["violations"]:
                nodes = "\n    ".join(violation["nodes"][:5])
                problems.append(f"{view}: {violation['id']}: {violation['help']}\n    {nodes}")
            if shots:
                (profile / "shot.html").write_text(
                    f"<style>*{{margin:0;border:0}}</style><iframe src='page.html' width={width} height=5200>")
                (profile / "page.html").write_text(page)
                shots.mkdir(parents=True, exist_ok=True)
                chromium(
                    profile / "chromium", dark, f"--screenshot={shots / (view.replace(' ', '-') + '.png')}",
                    f"--window-size={max(width, 500)},5200", f"file://{profile / 'shot.html'}")
    if arguments.prints_all:
        sheets, whole = paper(page, profile), paper(page.replace("<details", "<details open"), profile)
        if sheets != whole:
            problems.append(f"{file.name}: {sheets} sheets on paper, and {whole} with everything opened")
    if shots:
        chromium(profile / "chromium", False, f"--print-to-pdf={shots / (file.name + '.pdf')}", f"file://{file}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=lambda name: Path(name).resolve())
    parser.add_argument("--most-screens", type=float)
    parser.add_argument("--prints-all", action="store_true")
    parser.add_argument("--shots", type=Path)
    arguments = parser.parse_args()
    axe = axe_core()
    if not axe or not shutil.which("chromium"):
        print("skipped: needs chromium, and axe-core by 'pip install --no-deps axe-playwright-python'")
        sys.exit(77)
    problems = []
    with tempfile.TemporaryDirectory(prefix="larder-axe-") as profile:
        for file in arguments.files:
            problems += check(file, axe, arguments, arguments.shots and arguments.shots.resolve(), Path(profile))
    print("\n".join(problems) or f"{len(arguments.files)} page(s) pass in 4 views each")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
