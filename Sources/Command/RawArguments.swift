/// The bytes that arguments are of: as strings, names that aren't UTF-8 have been mended.
enum RawArguments {
    /// Those of the argument that reads so.
    static func bytes(of argument: String) -> [UInt8] {
        let count = Int(CommandLine.argc)
        for index in 0..<count {
            guard let start = unsafe CommandLine.unsafeArgv[index] else { continue }
            guard unsafe String(cString: start) == argument else { continue }
            var length = 0
            while unsafe start[length] != 0 { length += 1 }
            return unsafe UnsafeBufferPointer(start: start, count: length).map { UInt8(bitPattern: $0) }
        }
        return Array(argument.utf8)
    }
}
