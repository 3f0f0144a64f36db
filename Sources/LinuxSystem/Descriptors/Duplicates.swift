public import SystemPackage

extension FileDescriptor {
    /// Another descriptor for the same open file.
    public func duplicated() throws(Errno) -> OwnedDescriptor {
        let borrowed = OwnedDescriptor(owning: self)
        do {
            let copy = try borrowed.duplicate()
            _ = borrowed.release()
            return copy
        } catch {
            _ = borrowed.release()
            throw error
        }
    }
}
