extension UInt64 {
    /// The number with every bit spread over all bits, one to one. So numbers that are made by counting
    /// become hashes.
    ///
    /// It is the finaliser of MurmurHash3.
    @inlinable
    public var mixed: UInt64 {
        var hash = self
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}
