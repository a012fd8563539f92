// A folder of one's own under /tmp, as the servers and stores of the bench need one.

import Glibc

/// Makes a folder that nobody else has.
func makeFolder(_ name: String) throws -> String {
    var template = Array("/tmp/\(name)-XXXXXX\0".utf8CString)
    // Changed in place, its length stays.
    guard unsafe mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp") }
    return String(
        decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
