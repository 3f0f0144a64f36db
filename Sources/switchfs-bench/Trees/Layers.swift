import SwitchTestKit

/// One system's directories: layer 0 is the upper, the others are the lowers from the highest down. For the
/// native directory they are all the same one.
struct Layers {
    var upper: TestPath
    var work: TestPath
    var lowers: [TestPath]
    var mount: TestPath

    subscript(layer: Int) -> TestPath { layer == 0 ? upper : lowers[layer - 1] }
}
