internal import CLinux
internal import Glibc
internal import SystemPackage

/// The rights of a thread that waits for an answer, from /proc/TID/status: nothing else tells the groups.
///
/// The file is read anew each time. A thread can change its groups and capabilities, but not while it waits.
struct ThreadStatus {
    /// The ids with which the thread makes and opens files. They are the thread's own. If the kernel acts in
    /// it for another process, a request carries other ids.
    fileprivate(set) var fileUID: UInt32 = .max
    fileprivate(set) var fileGID: UInt32 = .max
    fileprivate(set) var groups: [UInt32] = []
    /// The effective capabilities, in its own user namespace.
    fileprivate(set) var effective: UInt64 = 0
    /// Whether it has memory of its own. A thread without is one of the kernel's.
    fileprivate(set) var hasMemory = false

    /// Reads the status. nil: there is no such thread, or it can't be seen.
    init?(of thread: Int32) {
        guard thread > 0, ServerCredentials.own.seesThreads else { return nil }
        let path = threadPath(thread, "status")
        let file = unsafe slx_openat(FileDescriptor.workingDirectory.rawValue, path.ref.base, 0, 0)
        guard file >= 0 else { return nil }
        defer { slx_close(file) }
        var parser = StatusParser()
        unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { chunk in
            while !parser.isDone {
                let count = unsafe slx_read(file, chunk.baseAddress, chunk.count)
                guard count > 0 else { break }
                unsafe parser.take(UnsafeRawBufferPointer(rebasing: chunk[..<Int(count)]))
            }
        }
        // Half a file is no answer: the thread has gone.
        guard parser.isDone else { return nil }
        self = parser.result
    }

    fileprivate init() {}

    /// Whether a request with these ids is this thread's own.
    func isOrigin(of identity: CallerIdentity) -> Bool {
        hasMemory && fileUID == identity.uid && fileGID == identity.gid
    }
}

/// /proc/TID/NAME
func threadPath(_ thread: Int32, _ name: PathRef) -> PathBuffer {
    var path = PathBuffer(capacity: 64)
    path.append("/proc")
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 12) { digits in
        var start = digits.count - 1
        unsafe digits[start] = 0
        var rest = max(thread, 0)
        repeat {
            start -= 1
            unsafe digits[start] = CChar(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        } while rest > 0
        if let base = digits.baseAddress {
            unsafe path.append(PathRef(unsafe: base + start, count: digits.count - 1 - start))
        }
    }
    path.append(name)
    return path
}

/// Finds the lines that count, and reads their numbers, a chunk of the file at a time.
@safe private struct StatusParser {
    private enum Line {
        case uid, gid, groups, effective
    }

    private enum State {
        /// In a line's name. The value is its bytes so far: the last eight, the newest lowest.
        case name(UInt64)
        case otherLine
        case values(Line)
    }

    private(set) var result = ThreadStatus()
    private(set) var isDone = false
    private var state = State.name(0)
    private var number: UInt64?
    /// How many numbers of the line were read.
    private var position = 0

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        var index = 0
        while !isDone && index < chunk.count {
            if case .otherLine = state {
                guard let end = unsafe newline(in: chunk, from: index) else { return }
                state = .name(0)
                index = end + 1
            } else {
                unsafe take(chunk[index])
                index += 1
            }
        }
    }

    private func newline(in chunk: UnsafeRawBufferPointer, from index: Int) -> Int? {
        guard let base = chunk.baseAddress,
            let found = unsafe memchr(base + index, 0x0a, chunk.count - index)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .name(let seen):
            state = byte == 0x3a ? begin(seen) : .name(seen << 8 | UInt64(byte))
        case .values(let line):
            if let digit = value(of: byte) {
                let base: UInt64 = line == .effective ? 16 : 10
                number = (number ?? 0) &* base &+ digit
            } else {
                finishNumber(line)
                if byte == 0x0a { end(line) }
            }
        case .otherLine:
            break
        }
    }

    private mutating func begin(_ name: UInt64) -> State {
        position = 0
        switch name {
        case packed("Uid"): return .values(.uid)
        case packed("Gid"): return .values(.gid)
        case packed("Groups"): return .values(.groups)
        case packed("CapEff"): return .values(.effective)
        case packed("VmSize"):
            result.hasMemory = true
            return .otherLine
        default: return .otherLine
        }
    }

    private mutating func end(_ line: Line) {
        state = .name(0)
        if line == .effective { isDone = true }
    }

    private mutating func finishNumber(_ line: Line) {
        guard let number else { return }
        self.number = nil
        position += 1
        // The numbers are: real, effective, saved, and the one that files go by.
        switch line {
        case .uid: if position == 4 { result.fileUID = UInt32(truncatingIfNeeded: number) }
        case .gid: if position == 4 { result.fileGID = UInt32(truncatingIfNeeded: number) }
        case .groups: result.groups.append(UInt32(truncatingIfNeeded: number))
        case .effective: result.effective = number
        }
    }

    private func value(of byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x61...0x66: UInt64(byte - 0x61 + 10)
        default: nil
        }
    }
}

@inline(__always)
private func packed(_ name: StaticString) -> UInt64 {
    name.withUTF8Buffer { bytes in
        var result: UInt64 = 0
        for index in bytes.indices { unsafe result = result << 8 | UInt64(bytes[index]) }
        return result
    }
}
