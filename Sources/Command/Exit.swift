import Glibc

/// `exit(3)` under a name that the argument parser's own doesn't hide.
func exitProcess(_ code: Int32) -> Never {
    exit(code)
}
