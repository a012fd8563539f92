// What a hit costs at the border of the rooms: 1,000 URLs in turn, as Strings, each parsed, looked
// up and answered; status and body are read. Run under callgrind; two runs of different counts tell
// the cost of one.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchStore
import FetchTime

enum Hits {
    static func run(_ count: Int, makesHeads: Bool) {
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules())
        let urls = (0..<1_000).map { "http://example.com/a/path/as/they/come/\($0)" }
        let now = Sample.now()
        for (index, url) in urls.enumerated() {
            let path = String(url.dropFirst("http://example.com".count))
            let response = Sample.response(path, Sample.body(UInt64(index), 1_000))
            store.apply(.store(response, superseding: []), now: now)
        }
        let headers = Headers()
        let defaults = Headers()
        let kinds = headers.cachingFields.union(defaults.cachingFields)
        var sum = 0
        var url = 0
        for _ in 0..<count {
            guard let target = try? Target(urls[url]) else { continue }
            url = url == 999 ? 0 : url + 1
            let glance = store.glance(
                target, .open, headers, defaults: defaults, kinds: kinds, now: now)
            guard case .hit(let response) = glance else { continue }
            let answer = CacheAnswer(response, .whole, age: response.ageSeconds(now))
            let body = answer.body
            sum &+= Int(answer.status) &+ Int(body[body.count - 1])
            if makesHeads { sum &+= answer.fields.count }
        }
        print("hits \(store.counters.glanced) sum \(sum)")
    }
}
