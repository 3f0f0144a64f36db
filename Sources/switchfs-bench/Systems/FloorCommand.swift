import ArgumentParser
import CFloor
import SwitchTestKit
import SystemPackage

/// The server of the floor: takes layers into memory, the topmost first, and mounts them. The program starts itself
/// so.
struct FloorCommand: ParsableCommand {
    static let name = "serve-floor"

    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: name, shouldDisplay: false)
    }

    @Argument var mountPoint: String
    @Argument var layers: [String]

    func run() throws {
        for layer in layers { try check(unsafe floor_load(layer), "can't load \(layer)") }
        try check(unsafe floor_serve(mountPoint), "can't serve \(mountPoint)")
    }

    private func check(_ error: Int32, _ what: String) throws {
        if error != 0 { throw FixtureError("\(what): \(Errno(rawValue: error))") }
    }
}
