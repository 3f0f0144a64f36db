/// What events say of a name that the kernel knows as a directory, since that was looked at last.
///
/// An exchange is told like two renames. Of the second name it says first that a directory came, then that one went: the
/// one that went is the one that was there before. A rename over an empty directory says the first of these alone.
struct DirectoryCourse {
    /// The layers that have a directory there; of those in `uncertain` nobody knows.
    private var layers: UInt64
    /// Those in which one came in the place of another.
    private var replaced: UInt64 = 0
    /// Those in which one went after that: it was the one before, in an exchange, or the one that came.
    private var uncertain: UInt64 = 0
    /// One of these layers was all that there was, if it had one.
    private var onlyUncertain: UInt64 = 0
    /// There was none, or the only one was replaced, as far as events tell.
    private var hasGap = false
    /// The layers in which one came after that.
    private var cameThereafter: UInt64 = 0
    /// Something else stood there.
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
            // It came in the place of nothing, or of the only one.
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
            // It had come with what it is in, and was there meanwhile.
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

    private mutating func startGap() {
        hasGap = true
        cameThereafter = 0
    }

    /// Whether there was a directory all the time, `now` being the layers that have one.
    func isSame(_ now: UInt64) -> Bool {
        if isBroken || onlyUncertain != 0 && onlyUncertain & now == 0 { return false }
        // One that didn't come thereafter was there meanwhile: it had come with what it is in.
        return !hasGap || now & ~cameThereafter != 0
    }
}
