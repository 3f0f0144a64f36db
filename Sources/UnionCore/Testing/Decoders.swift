/// What the engine reads back of what it wrote to disk, where any program may have changed it: for the fuzz
/// target.
package enum Decoders {
    /// A line of the file of marks, without its newline, as it would be written anew. nil: it makes no sense.
    package static func rewrittenMark(_ line: [UInt8]) -> [UInt8]? {
        guard let line = MarkLog.Line(line) else { return nil }
        return line.bytes.dropLast()
    }

    /// The mark of a skeleton's origin as it would be written anew.
    package static func rewrittenOrigin(_ text: [UInt8]) -> [UInt8] {
        Array(OriginRecord(decoding: text).text.utf8)
    }
}
