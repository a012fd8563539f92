// What the tests of all streams read with, and what they read.

import FetchBytes
import FetchTransport

/// Reads all that is there, and how it ended.
@discardableResult
func readAll(_ stream: any ByteStream, atMost: Int = 65_536) -> ([UInt8], ReadOutcome) {
    let buffer = ByteBuffer(capacity: 4_096)
    while true {
        let outcome = stream.read(into: buffer, atMost: atMost)
        guard case .bytes = outcome else {
            return ([UInt8](buffer.takeBytes(buffer.readableCount)), outcome)
        }
    }
}

func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
