internal import CLinux
internal import SystemPackage

/// The supplementary groups of a process or thread, from the line "Groups:" of /proc/PID/status, read by raw
/// system calls. Returns how many there are; those beyond the buffer's room are counted and left out. None
/// for a pid that doesn't exist.
public func supplementaryGroups(of pid: Int32, into groups: UnsafeMutableBufferPointer<UInt32>) -> Int {
    guard pid > 0 else { return 0 }
    let file = openStatus(of: pid)
    guard file >= 0 else { return 0 }
    defer { slx_close(file) }
    var parser = unsafe GroupsParser(groups: groups)
    unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { chunk in
        while !parser.isDone {
            let count = unsafe slx_read(file, chunk.baseAddress, chunk.count)
            guard count > 0 else { break }
            unsafe parser.take(UnsafeRawBufferPointer(rebasing: chunk[..<Int(count)]))
        }
        parser.finishNumber()
    }
    return parser.count
}

private func openStatus(of pid: Int32) -> Int32 {
    var path = PathBuffer(capacity: 64)
    path.append("/proc")
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 12) { digits in
        var start = digits.count - 1
        unsafe digits[start] = 0
        var rest = pid
        while rest > 0 {
            start -= 1
            unsafe digits[start] = CChar(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        }
        if let base = digits.baseAddress {
            unsafe path.append(PathRef(unsafe: base + start, count: digits.count - 1 - start))
        }
    }
    path.append("status")
    return unsafe slx_openat(FileDescriptor.workingDirectory.rawValue, path.ref.base, 0, 0)
}

/// Finds the line and reads its numbers, a chunk of the file at a time.
@safe private struct GroupsParser {
    private enum State: Equatable {
        /// So many bytes of the line's name were seen at a line's beginning.
        case name(Int)
        case otherLine
        case numbers
        case done
    }

    private let groups: UnsafeMutableBufferPointer<UInt32>
    private var state = State.name(0)
    private var number: UInt32?
    private(set) var count = 0

    init(groups: UnsafeMutableBufferPointer<UInt32>) {
        unsafe self.groups = unsafe groups
    }

    var isDone: Bool { state == .done }

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        var index = 0
        while !isDone && index < chunk.count {
            unsafe take(chunk[index])
            index += 1
        }
    }

    private mutating func take(_ byte: UInt8) {
        let name: PathRef = "Groups:"
        let newline: UInt8 = 0x0a
        switch state {
        case .name(let seen) where seen < name.count && byte == name[seen]:
            state = seen + 1 == name.count ? .numbers : .name(seen + 1)
        case .name, .otherLine:
            state = byte == newline ? .name(0) : .otherLine
        case .numbers where byte == newline:
            finishNumber()
            state = .done
        case .numbers:
            takeDigit(byte)
        case .done:
            break
        }
    }

    private mutating func takeDigit(_ byte: UInt8) {
        guard byte >= 0x30 && byte <= 0x39 else { return finishNumber() }
        number = (number ?? 0) &* 10 &+ UInt32(byte - 0x30)
    }

    /// Ends the number under way, if there is one.
    mutating func finishNumber() {
        guard let number else { return }
        if unsafe count < groups.count { unsafe groups[count] = number }
        count += 1
        self.number = nil
    }
}
