/// What events say of a name that the kernel knows as a directory, since the name was looked at last.
///
/// The events of an exchange are those of two renames. For the second name they say first that a directory
/// came, then that one went. The one that went is the one that was there before. A rename over an empty
/// directory brings only the first of these two events.
struct DirectoryCourse {
    /// The layers that have a directory there. For those in `uncertain` this isn't known.
    private var layers: UInt64
    /// The layers in which one directory came in the place of another.
    private var replaced: UInt64 = 0
    /// The layers in which a directory went after that: the earlier one, in an exchange, or the one that
    /// came.
    private var uncertain: UInt64 = 0
    /// If not 0, only these layers were left, and it isn't known whether they had one.
    private var onlyUncertain: UInt64 = 0
    /// Whether there was no directory for a time, or the only one was replaced, as far as events tell.
    private var hasGap = false
    /// The layers in which a directory came after that.
    private var cameThereafter: UInt64 = 0
    /// Whether something else stood there.
    private var isBroken = false

    init(layers: UInt64) { self.layers = layers }

    mutating func note(_ kind: ChangeEvent.Kind, _ layer: UInt64) {
        switch kind {
        case .directoryCame: came(layer)
        case .directoryWent: went(layer)
        default: isBroken = true
        }
    }

    private mutating func came(_ layer: UInt64) {
        if layers == layer { startGap() }
        if layers & layer != 0 { replaced |= layer }
        if onlyUncertain & layer != 0 {
            // It came where there was nothing, or in the place of the only one.
            startGap()
            onlyUncertain = 0
        }
        uncertain &= ~layer
        layers |= layer
        cameThereafter |= layer
    }

    private mutating func went(_ layer: UInt64) {
        if replaced & layer != 0 {
            replaced &= ~layer
            uncertain |= layer
        } else {
            // The one that went had come with what it is in, and was there meanwhile.
            if layers & layer == 0 { hasGap = false }
            uncertain &= ~layer
            layers &= ~layer
        }
        if layers == 0 {
            startGap()
        } else if layers & ~uncertain == 0 {
            onlyUncertain = layers
        }
    }

    /// Forgets the gaps so far: where events say that there was no directory, an unseen one may have stood in.
    mutating func forgetGaps() {
        hasGap = false
        onlyUncertain = 0
    }

    private mutating func startGap() {
        hasGap = true
        cameThereafter = 0
    }

    /// Whether there was a directory all the time. `now`: the layers that have one.
    func isSame(_ now: UInt64) -> Bool {
        if isBroken || onlyUncertain != 0 && onlyUncertain & now == 0 { return false }
        // A directory that didn't come after the gap was there meanwhile: it had come with what it is in.
        return !hasGap || now & ~cameThereafter != 0
    }
}
