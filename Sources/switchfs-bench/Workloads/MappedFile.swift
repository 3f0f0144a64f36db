import CTestCalls
import SwitchTestKit

/// A file mapped for reading.
@safe final class MappedFile {
    private let base: UnsafeMutableRawPointer
    private let size: Int

    init(_ file: Handle, size: Int) throws {
        var start: UnsafeMutableRawPointer?
        let result = unsafe tc_map(file.descriptor, 0, size, 0, &start)
        guard result >= 0, let start = unsafe start else {
            throw FixtureError("can't map the file: \(-result)")
        }
        unsafe base = start
        self.size = size
    }

    deinit { _ = unsafe tc_unmap(base, size) }

    /// The first word of that page.
    subscript(page page: Int) -> UInt64 {
        unsafe base.load(fromByteOffset: page * Pattern.pageSize, as: UInt64.self)
    }
}
