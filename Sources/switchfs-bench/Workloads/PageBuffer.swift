import CTestCalls
import Glibc
import SwitchTestKit

/// Memory for file data, and whole-block transfers that are checked a word a page.
@safe final class PageBuffer {
    private let base: UnsafeMutableRawPointer
    let size: Int

    init(size: Int) {
        self.size = size
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Pattern.pageSize)
    }

    deinit { unsafe base.deallocate() }

    /// The first word of that page of the buffer.
    subscript(page page: Int) -> UInt64 {
        get { unsafe base.load(fromByteOffset: page * Pattern.pageSize, as: UInt64.self) }
        set { unsafe base.storeBytes(of: newValue, toByteOffset: page * Pattern.pageSize, as: UInt64.self) }
    }

    func fill(_ word: UInt64) {
        for offset in stride(from: 0, to: size, by: 8) {
            unsafe base.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
        }
    }

    func read(_ file: Handle, at offset: Int) throws {
        let count = unsafe tc_pread(file.descriptor, base, size, Int64(offset))
        if count != size { throw FixtureError("read \(count) instead of \(size) bytes at \(offset)") }
    }

    func write(_ file: Handle, at offset: Int) throws {
        let count = unsafe tc_pwrite(file.descriptor, base, size, Int64(offset))
        if count != size { throw FixtureError("wrote \(count) instead of \(size) bytes at \(offset)") }
    }
}
