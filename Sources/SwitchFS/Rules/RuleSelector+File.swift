import LinuxSystem
import SystemPackage

extension RuleSelector {
    /// Reads a rules file for a union of `layerCount` layers, the upper counted. The file is read once.
    ///
    /// Throws ``MountError`` of kind ``MountError/Kind/failure`` where the file can't be read, is no UTF-8 text or no rules
    /// file, or names a layer that there isn't. Of what is wrong in it the error names line and column.
    public init(contentsOf path: String, layerCount: Int) throws(MountError) {
        let bytes = try Self.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .failure("rules file \(path): not UTF-8; a rules file is TOML text")
        }
        self = try RulesFile(name: path, text: text, layerCount: layerCount).selector()
    }

    private static func read(_ path: String) throws(MountError) -> [UInt8] {
        let name = OwnedName(path)
        do {
            let file = try FileDescriptor.workingDirectory.openPlain(
                name.ref, flags: [.readOnly, .nonBlocking])
            guard try file.descriptor.status().isRegular else { throw Errno.invalidArgument }
            return try file.descriptor.readToEnd()
        } catch Errno.invalidArgument {
            throw .failure("rules file \(path): not a regular file")
        } catch {
            throw .failure("rules file \(path): \(error)")
        }
    }
}
