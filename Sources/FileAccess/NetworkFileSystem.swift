import CLinux

/// File systems whose files other machines may be using.
///
/// Access times, locks and pipes of those tell nothing of the other machines' processes.
package enum NetworkFileSystem {
    // Magic numbers of statfs(2).
    private static let names: [Int: String] = [
        0x6969: "NFS", 0x517b: "SMB", 0xfe53_4d42: "SMB", 0xff53_4d42: "CIFS", 0x00c3_6400: "Ceph",
        0x6573_5546: "FUSE", 0x0102_1997: "9p",
    ]

    /// The name of the network file system that a directory is on; nil where it is on a local one.
    package static func name(of directory: OpenDirectory) -> String? {
        names[larder_fs_type(directory.descriptor)]
    }
}
