/// What this is.
public enum SwitchFSVersion {
    public static let current = "0.1.0"
}
