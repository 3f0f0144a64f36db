extension Glob {
    private static let slash = UInt8(ascii: "/")

    /// Whether the glob matches the path. Nothing is allocated.
    func matches(_ path: some GlobSubject) -> Bool {
        if matches(path, upTo: path.count) { return true }
        return matchesInside && matchesParent(of: path)
    }

    /// For a pattern that ends in `/`: whether a directory that holds the path matches.
    private func matchesParent(of path: some GlobSubject) -> Bool {
        for index in 0..<path.count where path[index] == Self.slash {
            if matches(path, upTo: index) { return true }
        }
        return false
    }

    /// A place in both: the token to match next, and the byte to match it against.
    private struct Place {
        var token = 0
        var position = 0
    }

    /// Walks both together. Two wildcards may have to take more: the last `*` within a component and the last
    /// `**/` before it. An earlier one of either kind never has to, because what stands between has already
    /// matched as early as it can.
    private func matches(_ path: some GlobSubject, upTo end: Int) -> Bool {
        var place = Place()
        var star: Place?
        var directories: Place?
        while true {
            switch token(at: place) {
            case .star?:
                place.token += 1
                star = place
                continue
            case .directories?:
                place.token += 1
                directories = place
                star = nil
                continue
            case .rest?:
                if place.position < end { return true }
            case let single? where place.position < end && single.accepts(path[place.position]):
                // A star takes no slash: what it took before this one is settled.
                if path[place.position] == Self.slash { star = nil }
                place.token += 1
                place.position += 1
                continue
            case nil where place.position == end:
                return true
            default:
                break
            }
            if let retry = star, retry.position < end, path[retry.position] != Self.slash {
                place = Place(token: retry.token, position: retry.position + 1)
                star = place
            } else if let retry = directories, let next = nextComponent(of: path, after: retry.position, end)
            {
                place = Place(token: retry.token, position: next)
                directories = place
                star = nil
            } else {
                return false
            }
        }
    }

    private func token(at place: Place) -> Token? {
        place.token < tokens.count ? tokens[place.token] : nil
    }

    /// The start of the next component; nil when this is the last one.
    private func nextComponent(of path: some GlobSubject, after start: Int, _ end: Int) -> Int? {
        var position = start
        while position < end, path[position] != Self.slash { position += 1 }
        return position + 1 < end ? position + 1 : nil
    }
}

extension Glob.Token {
    /// Whether the token, one that stands for exactly one byte, stands for this one.
    fileprivate func accepts(_ byte: UInt8) -> Bool {
        switch self {
        case .byte(let wanted): byte == wanted
        case .anyByte: byte != UInt8(ascii: "/")
        case .set(let set): byte != UInt8(ascii: "/") && set.contains(byte)
        case .star, .directories, .rest: false
        }
    }
}
