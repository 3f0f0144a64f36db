import CTestCalls
import Glibc
import SwitchTestKit

/// The timed loops: nothing but system calls, and what it takes to see that they were right. Each returns how many
/// calls did what they should.
enum Calls {
    static func stat(_ directory: Handle, _ names: NameList) -> Int {
        var status = tc_status()
        return unsafe names.count { unsafe tc_stat(directory.descriptor, $0, 0, &status) == 0 }
    }

    static func statMissing(_ directory: Handle, _ names: NameList) -> Int {
        var status = tc_status()
        let missing = -Int(ENOENT)
        return unsafe names.count { unsafe tc_stat(directory.descriptor, $0, 0, &status) == missing }
    }

    static func openAndClose(_ directory: Handle, _ names: NameList) -> Int {
        unsafe names.count { name in
            let file = unsafe tc_open(directory.descriptor, name, O_RDONLY, 0)
            return file >= 0 && tc_close(Int32(file)) == 0
        }
    }

    /// Opens, reads to the end and closes; the bytes that were read.
    static func readWhole(_ directory: Handle, _ names: NameList) -> Int {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var total = 0
        _ = unsafe names.count { name in
            let file = unsafe tc_open(directory.descriptor, name, O_RDONLY, 0)
            guard file >= 0 else { return false }
            while true {
                let count = unsafe tc_read(Int32(file), &buffer, buffer.count)
                if count <= 0 { break }
                total += count
            }
            return tc_close(Int32(file)) == 0
        }
        return total
    }

    /// Opens each to be written, writes `text` and closes.
    static func write(_ text: String, _ directory: Handle, _ names: NameList) -> Int {
        let bytes = Array(text.utf8)
        return unsafe names.count { name in
            let file = unsafe tc_open(directory.descriptor, name, O_WRONLY, 0)
            guard file >= 0 else { return false }
            let count = unsafe tc_write(Int32(file), bytes, bytes.count)
            return tc_close(Int32(file)) == 0 && count == bytes.count
        }
    }

    static func create(_ directory: Handle, _ names: NameList) -> Int {
        unsafe names.count { name in
            let file = unsafe tc_open(directory.descriptor, name, O_WRONLY | O_CREAT | O_EXCL, 0o644)
            return file >= 0 && tc_close(Int32(file)) == 0
        }
    }

    static func unlink(_ directory: Handle, _ names: NameList) -> Int {
        unsafe names.count { unsafe tc_unlink(directory.descriptor, $0, 0) == 0 }
    }

    static func makeDirectories(_ directory: Handle, _ names: NameList) -> Int {
        unsafe names.count { unsafe tc_mkdir(directory.descriptor, $0, 0o755) == 0 }
    }

    static func removeDirectories(_ directory: Handle, _ names: NameList) -> Int {
        unsafe names.count { unsafe tc_unlink(directory.descriptor, $0, Flag.removeDirectory) == 0 }
    }

    static func rename(_ directory: Handle, _ old: NameList, _ new: NameList) -> Int {
        let place = directory.descriptor
        return unsafe old.count(with: new) { unsafe renameat(place, $0, place, $1) == 0 }
    }

    /// The entries of a directory, `.` and `..` included.
    static func list(_ directory: Handle, _ name: String) throws -> Int {
        let opened = unsafe tc_open(directory.descriptor, name, O_RDONLY | Flag.directory, 0)
        guard opened >= 0 else { throw FixtureError("can't open \(name)") }
        let handle = Handle(owning: Int32(opened))
        var buffer = [UInt8](repeating: 0, count: 32768)
        var entries = 0
        while true {
            let count = unsafe tc_getdents(handle.descriptor, &buffer, buffer.count)
            if count < 0 { throw FixtureError("can't list \(name)") }
            if count == 0 { return entries }
            var at = 0
            while at < count {
                at += max(Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8, 1)
                entries += 1
            }
        }
    }
}
