internal import CFuseShims
internal import Glibc
internal import SystemPackage

/// The memory of one worker: the request that it is at, and room for the answer.
///
/// A request is read so that a WRITE's data begin on a page's boundary. A READ's answer is put on one, too.
/// Files opened with O_DIRECT want it so. Pages that are never touched take no memory.
@safe struct RequestBuffer: ~Copyable {
    /// Data of one WRITE or READ, in bytes: 256 pages, the most that the kernel sends by default.
    static var maximumData: Int { 1 << 20 }
    private static var page: Int { 4096 }
    /// What precedes a WRITE's data, and is all of a READ.
    private static var headers: Int {
        MemoryLayout<sfs_request_header>.size + MemoryLayout<sfs_write_request>.size
    }
    /// Room beyond the data, in bytes, for an answer behind the longest request that has one.
    private static var tail: Int { 64 * 1024 }
    private static var capacity: Int { page + maximumData + tail }

    private let memory: UnsafeMutableRawPointer
    /// Where every request begins.
    let request: UnsafeMutableRawPointer

    init() throws(Errno) {
        let memory = unsafe mmap(
            nil, RequestBuffer.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw .noMemory }
        unsafe self.memory = unsafe memory
        unsafe request = unsafe memory + (RequestBuffer.page - RequestBuffer.headers)
    }

    deinit { unsafe munmap(memory, RequestBuffer.capacity) }

    /// All that a request may fill.
    var input: UnsafeMutableRawBufferPointer {
        let end = unsafe memory + RequestBuffer.capacity
        return unsafe UnsafeMutableRawBufferPointer(start: request, count: end - request)
    }

    /// Room of `size` bytes for an answer, or as much as there is, from a page's boundary behind the request
    /// on.
    func output(size: Int, behind requestLength: Int) -> UnsafeMutableRawBufferPointer {
        let used = unsafe request - memory + requestLength
        let start = (used + RequestBuffer.page - 1) & ~(RequestBuffer.page - 1)
        let count = max(0, min(size, RequestBuffer.capacity - start))
        return unsafe UnsafeMutableRawBufferPointer(start: memory + start, count: count)
    }
}
