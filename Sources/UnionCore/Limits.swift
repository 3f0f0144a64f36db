/// NAME_MAX: the kernel lets longer names through to a FUSE server.
let longestName = 255

/// Bytes; deeper than any tree that can be walked.
let longestPath = 1 << 20

/// Directories above one another, where aliases are followed: they may go round in a circle.
let deepest = 4096
