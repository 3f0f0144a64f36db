internal import SystemPackage

/// The value that a shim returned. Throws the errno if it returned one, negated.
@inline(__always)
func check(_ result: Int32) throws(Errno) -> Int32 {
    guard result >= 0 else { throw Errno(rawValue: -result) }
    return result
}

@inline(__always)
func check(_ result: Int64) throws(Errno) -> Int {
    guard result >= 0 else { throw Errno(rawValue: Int32(truncatingIfNeeded: -result)) }
    return Int(result)
}

/// Throws the errno of a shim that returned one, negated. For calls whose only news is failure.
@inline(__always)
func succeed(_ result: Int32) throws(Errno) {
    guard result >= 0 else { throw Errno(rawValue: -result) }
}
