/// Why one of overlayfs's marks isn't followed.
public enum RedirectObstacle: String, Sendable {
    /// The layer can be written through the union, and a write would change what the mark counts on.
    case writableLayer = "writable-layer"
    /// The mark is a `user.` attribute that others than the server's user could have set.
    case untrusted
    /// The value is none that overlayfs writes.
    case malformed
    /// The layers below have nothing there.
    case missing
    /// The mark leads to files of the kernel, which act by the process that uses them and by their place.
    case pseudo
}

extension RedirectObstacle {
    /// The obstacle in words for people.
    public func text(inLayer layer: Int) -> String {
        let start = "overlayfs's redirect or metacopy mark in layer \(layer) is not followed: "
        return switch self {
        case .writableLayer: start + "the layer can be written; give it as =ro"
        case .untrusted: start + "it is a user attribute, and others than root could have set it"
        case .malformed: start + "overlayfs writes no such value"
        case .missing: start + "the layers below have nothing there; give those that the overlay had"
        case .pseudo: start + "it leads to files of the kernel"
        }
    }
}

/// A part of an object that can't be had, so that nothing of the object is shown.
struct Obstacle {
    let layer: Layer
    let reason: RedirectObstacle

    var text: String { reason.text(inLayer: layer.index) }
}
