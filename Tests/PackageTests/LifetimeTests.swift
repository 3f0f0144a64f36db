import SwitchTestKit
import SystemPackage
import Testing

/// What the compiler doesn't see: bytes and descriptors that are lent by a value that has gone.
@Suite struct LifetimeTests {
    /// A value that has no name of its own goes as soon as it has lent them.
    @Test(arguments: ["Sources", "Tests"]) func whatLendsHasAName(folder: String) throws {
        let lending = /\)\??\.(ref|descriptor)([^A-Za-z]|$)/
        for source in try sources(below: package / TestPath(folder)) {
            for line in source.text.split(separator: "\n") where line.contains(lending) {
                Issue.record("\(source.name): \(line)")
            }
        }
    }
}
