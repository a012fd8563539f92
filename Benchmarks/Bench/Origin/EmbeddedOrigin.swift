// The embedded origin: a lean HTTP/1.1 server in a process of its own, so that the client's figures
// hold nothing of it. One thread, one epoll, prebuilt answers; flat memory whatever it streams. It
// ends when its standard input does, for then its parent is gone.
//
// It listens on every address of 127.0.0.0/8 (the scenario of 10,000 origins needs them), which
// bind(2) offers only as INADDR_ANY: so it binds to the device `lo` where that is allowed, and
// drops every peer whose address is not 127.x.x.x.

import CBench
import CFetchLinux
import Glibc

/// The server loop.
final class EmbeddedOrigin {
    private let listener: CInt
    private let events: EventQueue
    private let buffer = ReceiveBuffer()
    private var connections: [OriginConnection] = []
    private var answers = OriginAnswers()
    private var delays = DelayLine()
    /// Requests answered, and those for `/half` among them.
    private var answered = 0
    private var halves = 0

    /// The port it listens on.
    let port: UInt16

    init(port: UInt16) throws {
        let listener = try streamSocket(nonBlocking: true)
        setOption(listener, SOL_SOCKET, SO_REUSEADDR, 1)
        // Accepted sockets inherit it.
        setOption(listener, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        // A wish: only root may; strangers are dropped at accept anyway.
        _ = unsafe setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)
        var address = LoopbackAddress(host: 0, port: port).socketAddress
        // The address is ours; the kernel reads it during the call.
        try check(unsafe withGenericAddress(&address) { unsafe bind(listener, $0, $1) }, "bind")
        try check(listen(listener, 65_535), "listen")
        self.port = try localPort(of: listener)
        self.listener = listener
        events = try EventQueue()
        try events.add(listener, EPOLLIN)
    }

    /// Serves until standard input ends.
    func run() throws {
        try events.add(STDIN_FILENO, EPOLLIN)
        while true {
            let count = events.wait(milliseconds: timeout())
            answers.refresh()
            for index in 0..<count {
                let (descriptor, readiness) = events[index]
                if descriptor == listener {
                    acceptAll()
                } else if descriptor == STDIN_FILENO {
                    return
                } else {
                    ready(descriptor, readiness)
                }
            }
            answerDelayed()
        }
    }

    private func timeout() -> CInt {
        guard let earliest = delays.earliest else { return 1_000 }
        let now = monotonicNanoseconds()
        return earliest <= now ? 0 : CInt(min(1_000, (earliest - now + 999_999) / 1_000_000))
    }

    private func acceptAll() {
        for _ in 0..<EventQueue.capacity {
            var host: UInt32 = 0
            // Filled before the call returns.
            let descriptor = unsafe bench_accept(listener, &host)
            if descriptor < 0 { return }
            guard LoopbackAddress(host: host, port: 0).isLoopback,
                (try? events.add(descriptor, EPOLLIN)) != nil
            else {
                Glibc.close(descriptor)
                continue
            }
            while connections.count <= Int(descriptor) { connections.append(OriginConnection()) }
            connections[Int(descriptor)].open()
        }
    }

    private func ready(_ descriptor: CInt, _ readiness: UInt32) {
        if readiness & EPOLLOUT.rawValue != 0 {
            flush(descriptor)
            if connections[Int(descriptor)].isOpen { serveArrived(descriptor) }
        }
        guard readiness & ~EPOLLOUT.rawValue != 0, connections[Int(descriptor)].isOpen else {
            return
        }
        let got = buffer.receive(descriptor)
        if got < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard got > 0 else { return close(descriptor) }
        // The usual case: one whole GET of `/`, nothing before it, nothing after it.
        let number = Int(descriptor)
        if connections[number].arrived.isEmpty, connections[number].bodyToSkip == 0,
            !connections[number].hasUnsent, !connections[number].isDelayed,
            unsafe buffer.withFirst(got, RequestHead.isPlainHello)
        {
            answered += 1
            return send(answers.hello, to: descriptor)
        }
        connections[number].arrived += buffer.first(got)
        serveArrived(descriptor)
    }

    /// Answers the requests that have come whole, in order, as far as the socket takes the answers.
    private func serveArrived(_ descriptor: CInt) {
        let number = Int(descriptor)
        while connections[number].isOpen, !connections[number].isDelayed,
            !connections[number].hasUnsent
        {
            let skipped = min(connections[number].bodyToSkip, connections[number].arrived.count)
            connections[number].bodyToSkip -= skipped
            connections[number].arrived.removeFirst(skipped)
            guard let head = RequestHead(connections[number].arrived) else { return }
            connections[number].arrived.removeFirst(head.length)
            connections[number].bodyToSkip = head.contentLength
            answer(head, descriptor)
        }
    }

    private func answer(_ head: RequestHead, _ descriptor: CInt) {
        if head.route != .count { answered += 1 }
        switch head.route {
        case .hello:
            send(head.isHEAD ? answers.helloHead : answers.hello, to: descriptor)
        case .close:
            connections[Int(descriptor)].closesAfterwards = true
            send(answers.close, to: descriptor)
        case .bytes(let count):
            connections[Int(descriptor)].bodyToSend = head.isHEAD ? 0 : count
            send(answers.head("200 OK", length: count, connection: "keep-alive"), to: descriptor)
        case .fresh(let count):
            connections[Int(descriptor)].bodyToSend = head.isHEAD ? 0 : count
            send(answers.fresh(count), to: descriptor)
        case .delay(let milliseconds):
            let due = monotonicNanoseconds() + UInt64(min(milliseconds, 3_600_000)) * 1_000_000
            connections[Int(descriptor)].isDelayed = true
            let generation = connections[Int(descriptor)].generation
            delays.insert(.init(due: due, descriptor: descriptor, generation: generation))
        case .status(let code):
            send(answers.answer(code), to: descriptor)
        case .half:
            halves += 1
            send(halves % 2 == 1 ? answers.answer(503) : answers.hello, to: descriptor)
        case .count:
            send(answers.answer(200, "\(answered)"), to: descriptor)
        case .unknown:
            send(answers.notFound, to: descriptor)
        }
    }

    private func answerDelayed() {
        guard delays.earliest != nil else { return }
        let now = monotonicNanoseconds()
        while let entry = delays.popDue(now: now) {
            let connection = connections[Int(entry.descriptor)]
            guard connection.isOpen, connection.generation == entry.generation else { continue }
            connections[Int(entry.descriptor)].isDelayed = false
            send(answers.hello, to: entry.descriptor)
            serveArrived(entry.descriptor)
        }
    }

    private func send(_ message: [UInt8], to descriptor: CInt) {
        let sent = write(message, from: 0, most: message.count, to: descriptor)
        if sent < message.count {
            guard sent >= 0 else { return close(descriptor) }
            connections[Int(descriptor)].unsent = message
            connections[Int(descriptor)].unsentStart = sent
        }
        flush(descriptor)
    }

    /// Sends what waits; watches for room when the socket is full.
    private func flush(_ descriptor: CInt) {
        let number = Int(descriptor)
        while connections[number].unsentStart < connections[number].unsent.count {
            let start = connections[number].unsentStart
            let rest = connections[number].unsent.count - start
            let sent = write(connections[number].unsent, from: start, most: rest, to: descriptor)
            guard sent >= 0 else { return close(descriptor) }
            if sent == 0 { return watchWriting(descriptor, true) }
            connections[number].unsentStart += sent
        }
        while connections[number].bodyToSend > 0 {
            let most = min(connections[number].bodyToSend, OriginAnswers.block.count)
            let sent = write(OriginAnswers.block, from: 0, most: most, to: descriptor)
            guard sent >= 0 else { return close(descriptor) }
            if sent == 0 { return watchWriting(descriptor, true) }
            connections[number].bodyToSend -= sent
        }
        if connections[number].closesAfterwards { return close(descriptor) }
        if connections[number].watchesWriting { watchWriting(descriptor, false) }
    }

    /// Bytes the socket took: 0 when it is full, -1 when it is broken.
    private func write(_ bytes: [UInt8], from start: Int, most: Int, to descriptor: CInt) -> Int {
        // `start + most` is within the array, which outlives the call.
        let sent = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(
                descriptor, $0.baseAddress?.advanced(by: start), most, CInt(MSG_NOSIGNAL))
        }
        return sent < 0 && errno == EAGAIN ? 0 : sent
    }

    private func watchWriting(_ descriptor: CInt, _ on: Bool) {
        guard connections[Int(descriptor)].watchesWriting != on else { return }
        connections[Int(descriptor)].watchesWriting = on
        // While an answer is stuck, further requests stay in the kernel.
        try? events.modify(descriptor, on ? EPOLLOUT : EPOLLIN)
    }

    private func close(_ descriptor: CInt) {
        connections[Int(descriptor)].close()
        // Leaves the epoll set with its last descriptor.
        Glibc.close(descriptor)
    }
}
