import CacheModel
import GRDB

extension CacheIndex {
    /// Replaces the images and layers of a volume by those of a scan.
    ///
    /// An incomplete scan replaces what it found and leaves the rest.
    func recordImages(
        _ scan: VolumeScan, _ merge: ScanMerge, added: [Int: Int64], volume: Int64, _ db: Database
    ) throws {
        let forget = try db.cachedStatement(sql: "DELETE FROM images WHERE entry = ?")
        let image = try db.cachedStatement(
            sql: """
                INSERT INTO images (entry, image, exclusive_bytes, containers, role, origin)
                VALUES (?, ?, ?, ?, ?, ?)
                """)
        let name = try db.cachedStatement(sql: "INSERT INTO image_names VALUES (?, ?, ?)")
        let list = try db.cachedStatement(
            sql: "INSERT INTO image_lists (entry, position, name) VALUES (?, ?, ?)")
        let forgetLists = try db.cachedStatement(sql: "DELETE FROM image_lists WHERE entry = ?")
        let below = try db.cachedStatement(sql: "INSERT INTO image_layers VALUES (?, ?, ?)")
        for (index, id) in merge.images {
            guard let found = merge.entries[index].image, let id = id ?? added[index] else { continue }
            try forget.execute(arguments: [id])
            try image.execute(arguments: [
                id, found.id, found.exclusiveBytes.bytes, found.containers, found.role.rawValue,
                found.origin.rawValue,
            ])
            try forgetLists.execute(arguments: [id])
            for (position, text) in found.listNames.enumerated() {
                try list.execute(arguments: [id, position, text])
            }
            for (position, text) in found.names.enumerated() {
                try name.execute(arguments: [id, position, text])
            }
            for (position, layer) in found.layers.enumerated() {
                try below.execute(arguments: [id, position, layer])
            }
        }
        if scan.complete {
            try db.execute(sql: "DELETE FROM layers WHERE volume = ?", arguments: [volume])
        }
        let layer = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for found in scan.layers {
            try layer.execute(arguments: [
                volume, found.id, found.parent, found.diffBytes.bytes, found.storedBytes.bytes,
                found.created.nanoseconds, found.incomplete, found.images, found.containers,
            ])
        }
    }

    /// The images of a volume by the ids of their entries.
    func images(of volume: Int64, _ db: Database) throws -> [Int64: ScannedImage] {
        var images: [Int64: ScannedImage] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT entry, image, exclusive_bytes, containers, role, origin
                FROM images CROSS JOIN entries ON entries.id = images.entry
                WHERE entries.volume = ?
                """,
            arguments: [volume])
        while let row = try rows.next() {
            images[try row.integer(0)] = ScannedImage(
                id: try row.text(1), names: [], layers: [], exclusiveBytes: try row.size(2),
                containers: Int(try row.integer(3)),
                role: ScannedImage.Role(rawValue: try row.text(4)) ?? .image,
                // What is not known may be the only copy.
                origin: ScannedImage.Origin(rawValue: try row.text(5)) ?? .local)
        }
        guard !images.isEmpty else { return images }
        // Names and layers of other volumes' images fall through: the first query did not find those.
        let names = try Row.fetchCursor(
            db, sql: "SELECT entry, name FROM image_names ORDER BY entry, position")
        while let row = try names.next() { images[try row.integer(0)]?.names.append(try row.text(1)) }
        let lists = try Row.fetchCursor(
            db, sql: "SELECT entry, name FROM image_lists ORDER BY entry, position")
        while let row = try lists.next() { images[try row.integer(0)]?.listNames.append(try row.text(1)) }
        let layers = try Row.fetchCursor(
            db, sql: "SELECT entry, layer FROM image_layers ORDER BY entry, position")
        while let row = try layers.next() { images[try row.integer(0)]?.layers.append(try row.text(1)) }
        return images
    }

    /// The layers of a volume in the order of their ids.
    func layers(of volume: Int64, _ db: Database) throws -> [ScannedLayer] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, parent, diff_bytes, stored_bytes, created, incomplete, images, containers
                FROM layers WHERE volume = ? ORDER BY id
                """,
            arguments: [volume])
        var layers: [ScannedLayer] = []
        while let row = try rows.next() {
            layers.append(
                ScannedLayer(
                    id: try row.text(0), parent: try row.decode(String?.self, atIndex: 1),
                    diffBytes: try row.size(2), storedBytes: try row.size(3), created: try row.time(4),
                    incomplete: try row.flag(5), images: Int(try row.integer(6)),
                    containers: Int(try row.integer(7))))
        }
        return layers
    }
}
