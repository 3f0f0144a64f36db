internal import SystemPackage

// What is written to a list of processes. To the kernel 0 is the thread that writes, and here that is the
// server's.

/// Whether the text, read as the kernel reads it (kstrtoint with base 0, after strstrip), has a 0 among its numbers.
func holdsZero(_ text: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    let end = unsafe text.firstIndex(of: 0) ?? text.count
    while start <= end {
        let next = unsafe text[start..<end].firstIndex(of: comma) ?? end
        if unsafe isZero(text, start, next) { return true }
        start = next + 1
    }
    return false
}

/// The text with `number` in place of each 0.
func replacingZero(in text: UnsafeRawBufferPointer, by number: Int32) -> [UInt8] {
    let end = unsafe text.firstIndex(of: 0) ?? text.count
    var result: [UInt8] = []
    var start = 0
    while start <= end {
        let next = unsafe text[start..<end].firstIndex(of: comma) ?? end
        if start > 0 { result.append(comma) }
        if unsafe isZero(text, start, next) {
            result.append(contentsOf: "\(number)".utf8)
        } else {
            unsafe result.append(contentsOf: text[start..<next])
        }
        start = next + 1
    }
    return result
}

private let comma: UInt8 = 0x2c

private func isZero(_ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
    var (start, end) = (start, end)
    while start < end, unsafe isSpace(text[start]) { start += 1 }
    while start < end, unsafe isSpace(text[end - 1]) { end -= 1 }
    if start < end, unsafe text[start] == 0x2b || text[start] == 0x2d { start += 1 }
    if end - start > 2, unsafe text[start] == 0x30 && text[start + 1] | 0x20 == 0x78 { start += 2 }
    guard start < end else { return false }
    return unsafe text[start..<end].allSatisfy { $0 == 0x30 }
}

/// Whether the kernel's isspace() takes the byte for a space. The no-break space of Latin-1 is one to it.
private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte || byte == 0xa0 }
