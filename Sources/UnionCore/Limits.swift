/// NAME_MAX: the kernel lets longer names through to a FUSE server.
let longestName = 255

/// In bytes; no tree that can be walked is as deep.
let longestPath = 1 << 20
