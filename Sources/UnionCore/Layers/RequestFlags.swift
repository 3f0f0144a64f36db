internal import LinuxSystem

extension OpenFlags {
    /// FMODE_EXEC of <linux/fs.h>: the kernel opens the file to execute it.
    static var execute: OpenFlags { OpenFlags(rawValue: 0o40) }
    /// Flags of a request that mean something only to the kernel.
    static var kernelOnly: OpenFlags { .execute }

    /// The flags to open a real file with, of those that a request has.
    var ofRealFile: OpenFlags {
        subtracting([.create, .exclusive, .noFollow, .kernelOnly]).union(.noTerminal)
    }
}
