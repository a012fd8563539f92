// A process that uses a store on disk, and may be killed at any instruction. Run as
// `StoreProbe NAME …`; StoreTests reads what it prints.

import FetchBytes
import FetchCache
import FetchStore
import Glibc

let words = CommandLine.arguments
let name = words.dropFirst().first ?? ""

func number(_ index: Int, _ otherwise: Int) -> Int {
    words.count > index ? Int(words[index]) ?? otherwise : otherwise
}

switch name {
case "write": exit(Writing.run(words[2], seed: number(3, 1), steps: number(4, 10_000)))
case "hits": Hits.run(number(2, 100_000), makesHeads: number(3, 0) == 1)
case "steps": Steps.run(words[2], count: number(3, 1_000), bytes: number(4, 1 << 20))
case "account": exit(Account.run(steps: number(2, 10_000_000)))
default:
    print("unknown probe: \(name)")
    exit(2)
}
