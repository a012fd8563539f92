// The pure parts of the embedded origin.

import Bench
import Testing

struct OriginTests {
    @Test(arguments: [
        ("/", OriginRoute.hello), ("/?q", .hello), ("/close", .close),
        ("/bytes/102400", .bytes(102_400)), ("/fresh/7", .fresh(7)), ("/fresh/-7", .fresh(0)),
        ("/delay/25", .delay(milliseconds: 25)), ("/bytes/x", .unknown), ("/other", .unknown),
        ("/bytes/-5", .bytes(0)), ("*", .unknown), ("/status/503", .status(503)),
        ("/status/204", .unknown), ("/status/x", .unknown), ("/half?1", .half), ("/count", .count),
    ])
    func `a path names an answer`(path: String, route: OriginRoute) {
        #expect(OriginRoute(path: path) == route)
    }

    @Test func `delayed answers leave in the order in which they are due`() {
        var line = DelayLine()
        let dues = (0..<200).map { UInt64($0 * 7_919 % 200) }
        for due in dues { line.insert(.init(due: due, descriptor: 1, generation: 1)) }
        var left: [UInt64] = []
        while let entry = line.popDue(now: 99) { left.append(entry.due) }
        #expect(left == Array(0..<100))
        #expect(line.earliest == 100)
        while let entry = line.popDue(now: .max) { left.append(entry.due) }
        #expect(left == dues.sorted())
        #expect(line.earliest == nil)
    }
}
