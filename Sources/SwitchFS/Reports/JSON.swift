import FoundationEssentials

/// JSON as switchfs writes it: keys in order, slashes as they are.
public enum JSON {
    /// A report's JSON, indented: what the commands print with `--json`. Throws ``MountError`` where a value can't be
    /// written, as no report of this library's is.
    public static func pretty(_ value: some Encodable) throws(MountError) -> String {
        String(decoding: try encode(value, [.prettyPrinted]), as: UTF8.self)
    }

    static func compact(_ value: some Encodable) throws(MountError) -> [UInt8] {
        Array(try encode(value, []))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(MountError) -> Value
    {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .failure("the mount's server answered in a form that this switchfs doesn't know")
        }
    }

    private static func encode(
        _ value: some Encodable, _ more: JSONEncoder.OutputFormatting
    ) throws(MountError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = more.union([.sortedKeys, .withoutEscapingSlashes])
        do {
            return try encoder.encode(value)
        } catch {
            throw .failure("the answer can't be written as JSON: \(error)")
        }
    }
}
