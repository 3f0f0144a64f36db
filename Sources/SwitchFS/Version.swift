/// Which switchfs this is.
public enum SwitchFSVersion {
    /// By the rules of semver.org.
    public static let current = "0.1.0"
}
