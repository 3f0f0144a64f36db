internal import CLinux

/// The kernel's random numbers.
public enum Random {
    /// 64 random bits.
    public static func number() -> UInt64 {
        var number: UInt64 = 0
        while true {
            let result = unsafe slx_random(&number, 8)
            // Up to 256 bytes come whole. Only a signal while the kernel sets its pool up can cut them short.
            if result == 8 { return number }
        }
    }

    /// A name that nothing else has: `prefix` and 16 hexadecimal digits.
    public static func name(prefix: PathRef) -> OwnedName {
        var name = [UInt8]()
        name.reserveCapacity(prefix.count + 16)
        for index in 0..<prefix.count { name.append(prefix[index]) }
        let number = number()
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 0xf)
            name.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
        return OwnedName(name)
    }
}
