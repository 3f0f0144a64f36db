import SwitchTestKit
import Testing

/// Something that happens in or around a union, which no mount in it may suffer from.
struct HeldChange: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Where it can be made.
    let modes: Set<HeldScene.Mode>
    /// Before anything is mounted in the union.
    let prepare: @Sendable (Union) throws -> Void
    let make: @Sendable (HeldScene) throws -> Void

    init(
        _ name: String, modes: Set<HeldScene.Mode> = Set(HeldScene.Mode.allCases),
        before prepare: @escaping @Sendable (Union) throws -> Void = { _ in },
        _ make: @escaping @Sendable (HeldScene) throws -> Void
    ) {
        testDescription = name
        self.modes = modes
        self.prepare = prepare
        self.make = make
    }

    func happens(_ mode: HeldScene.Mode) throws {
        guard modes.contains(mode) else { return }
        try HeldScene.with(mode, prepare: prepare, make)
    }
}
