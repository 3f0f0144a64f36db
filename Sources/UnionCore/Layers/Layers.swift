/// The layers, and what the union keeps in them for itself: marks, whiteouts, its work area.
///
/// It knows real directories and their entries, but no union objects.
final class Layers: Sendable {
    let stack: LayerStack
    let policies: Policies
    let work: WorkArea
    let numbering: InodeNumbering
    let notices = Notices()

    init(_ stack: LayerStack, _ policies: Policies, _ work: WorkArea) {
        self.stack = stack
        self.policies = policies
        self.work = work
        let device = stack[0].filesystem.device
        numbering = InodeNumbering(isSingle: stack.layers.allSatisfy { $0.filesystem.device == device })
    }
}
