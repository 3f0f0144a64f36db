import SwitchTestKit

/// One system's directories: layer 0 is the upper, the others are the lowers from the highest down. For the
/// native directory they are all the same one.
struct Layers {
    var upper: TestPath
    var work: TestPath
    var lowers: [TestPath]
    var mount: TestPath

    /// The same with the mount in every layer's place: for a system whose work shows there alone.
    var asMounted: Layers {
        Layers(upper: mount, work: work, lowers: lowers.map { _ in mount }, mount: mount)
    }

    subscript(layer: Int) -> TestPath { layer == 0 ? upper : lowers[layer - 1] }
}
