import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// How long a connection may take, and how many there may be.
struct ConnectionLimits: Sendable {
    /// What one request may have.
    var request = RequestScanner.Limits()
    /// From the first byte of a request to its last, and from the connection to the first request.
    var reading = TimeAmount.seconds(10)
    /// Between two requests.
    var idle = TimeAmount.seconds(60)
    /// Without any byte of an answer being made or taken.
    var writing = TimeAmount.seconds(30)
    /// How often all that is looked at.
    var tick = TimeAmount.seconds(1)
    /// How many connections are served; as many more are told to come back, and those beyond are closed at once.
    var connections = 256
    /// How many of one address are served; more of it get an answer to a question for the daemon's health only.
    var perAddress = 64
    /// How many connections wait like that, of all addresses; those beyond are closed at once.
    var waiting = 1024
}

/// The first handler of a connection: ends those that send too much, too slowly, or take no answer.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// What a connection gets.
    enum Admission { case served, healthOnly, crowded }

    private let limits: ConnectionLimits
    private let admission: Admission
    /// The beginning of what a connection sent that gets no more than the health.
    private var head: [UInt8] = []
    private var scanner: RequestScanner
    private var isRefused = false
    private var task: Scheduled<Void>?
    private var lastRequest: NIODeadline = .now()
    private var requestBegan: NIODeadline?
    private var isOwed = false
    private var unwritten = 0
    private var lastWrite: NIODeadline = .now()

    /// - Parameter admission: whether the connection is one too many, and is told so.
    init(limits: ConnectionLimits, admission: Admission = .served) {
        self.limits = limits
        self.admission = admission
        scanner = RequestScanner(limits: limits.request)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        schedule(context)
        if admission == .crowded, context.channel.isActive { refuse(.crowded, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { task?.cancel() }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if admission == .crowded, !isRefused { refuse(.crowded, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let before = scanner.requests
        do throws(RequestScanner.Refusal) {
            try scanner.take(unwrapInboundIn(data).readableBytesView)
        } catch {
            return refuse(error, context)
        }
        let now = NIODeadline.now()
        if !scanner.isInRequest { requestBegan = nil } else if requestBegan == nil { requestBegan = now }
        if scanner.requests > before { isOwed = true }
        lastRequest = now
        guard admission == .healthOnly else { return context.fireChannelRead(data) }
        if head.count < 64 { head += unwrapInboundIn(data).readableBytesView.prefix(64) }
        if scanner.requests > 0 { answerHealth(context) }
    }

    /// Answers a question for the daemon's health, whatever else its address holds; anything else is too much.
    private func answerHealth(_ context: ChannelHandlerContext) {
        guard head.starts(with: "GET /healthz ".utf8) else { return refuse(.crowded, context) }
        end(
            with: "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
                + "Content-Length: 3\r\n\r\nok\n", context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind asks for more once a request was refused: what still comes is thrown away, as closing
        // on unread bytes would take the answer from the client.
        if isRefused || admission == .healthOnly { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isRefused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if unwritten == 0 { lastWrite = .now() }
        unwritten += 1
        isOwed = false
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unwritten -= 1
            self.lastWrite = .now()
            self.lastRequest = .now()
        }
        context.write(data, promise: promise)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        task = context.eventLoop.assumeIsolated().scheduleTask(in: limits.tick) {
            self.look(context)
            if context.channel.isActive { self.schedule(context) }
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if isRefused || (unwritten > 0 && now - lastWrite > limits.writing) {
            context.close(promise: nil)
        } else if let requestBegan, now - requestBegan > limits.reading {
            refuse(.timeout, context)
        } else if requestBegan == nil, unwritten == 0 {
            // While an answer is owed the connection is not idle, however long the answer takes to make.
            let patience = isOwed ? limits.writing : scanner.requests == 0 ? limits.reading : limits.idle
            if now - lastRequest > patience { context.close(promise: nil) }
        }
    }

    private func refuse(_ refusal: RequestScanner.Refusal, _ context: ChannelHandlerContext) {
        end(with: refusal.response, context)
    }

    /// Writes the last answer of the connection.
    private func end(with text: String, _ context: ChannelHandlerContext) {
        isRefused = true
        let answer = context.channel.allocator.buffer(string: text)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(answer))).whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
    }
}

/// Hummingbird's connections with a guard before each, and a limit to their number.
struct GuardedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let inner: HTTP1Channel
    private let limits: ConnectionLimits
    private let counts = Counts()

    private final class Counts: Sendable {
        let state = Mutex(ConnectionCounts())
    }

    init(_ inner: HTTP1Channel, limits: ConnectionLimits) {
        self.inner = inner
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // Whoever comes by a Unix socket has no address.
        let address = channel.remoteAddress?.ipAddress
        guard let admission = counts.state.withLock({ $0.admit(address, limits) }) else {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        channel.closeFuture.whenComplete { [counts] _ in
            counts.state.withLock { $0.leave(address, admission) }
        }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                ConnectionGuard(limits: limits, admission: admission))
        }.flatMap { inner.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await inner.handle(value: value, logger: logger) }
}

/// How many connections there are, in all and of each address.
private struct ConnectionCounts {
    private var served = 0
    private var waiting = 0
    private var turnedAway = 0
    private var byAddress: [String: Int] = [:]

    /// Lets a connection in; nil where it is to be closed at once.
    mutating func admit(_ address: String?, _ limits: ConnectionLimits) -> ConnectionGuard.Admission? {
        let held = address.map { byAddress[$0, default: 0] }
        // Whoever holds none yet is asked first what it wants: others must not keep it from the daemon's health.
        let isNew = held == 0 && served >= limits.connections
        if isNew || held ?? 0 >= limits.perAddress {
            guard waiting < limits.waiting else { return nil }
            waiting += 1
            return .healthOnly
        }
        if served < limits.connections {
            served += 1
            if let address { byAddress[address, default: 0] += 1 }
            return .served
        }
        guard turnedAway < limits.connections else { return nil }
        turnedAway += 1
        return .crowded
    }

    /// A connection ended.
    mutating func leave(_ address: String?, _ admission: ConnectionGuard.Admission) {
        switch admission {
        case .healthOnly: waiting -= 1
        case .crowded: turnedAway -= 1
        case .served:
            served -= 1
            guard let address, let count = byAddress[address] else { return }
            byAddress[address] = count > 1 ? count - 1 : nil
        }
    }
}
