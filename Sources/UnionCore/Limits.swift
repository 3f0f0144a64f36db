/// NAME_MAX: the kernel lets longer names through to a FUSE server.
let longestName = 255

/// In bytes; no tree that can be walked is as deep.
let longestPath = 1 << 20

/// The most directories above one another where aliases are followed: these may go round in a circle.
let deepest = 4096
