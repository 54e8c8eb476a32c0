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
}

/// The first handler of a connection: ends those that send too much, too slowly, or take no answer.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let limits: ConnectionLimits
    private let isCrowded: Bool
    private var scanner: RequestScanner
    private var isRefused = false
    private var task: Scheduled<Void>?
    private var lastRequest: NIODeadline = .now()
    private var requestBegan: NIODeadline?
    private var isOwed = false
    private var unwritten = 0
    private var lastWrite: NIODeadline = .now()

    /// - Parameter isCrowded: whether the connection is one too many, and is told so.
    init(limits: ConnectionLimits, isCrowded: Bool = false) {
        self.limits = limits
        self.isCrowded = isCrowded
        scanner = RequestScanner(limits: limits.request)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        schedule(context)
        if isCrowded, context.channel.isActive { refuse(.crowded, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { task?.cancel() }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if isCrowded, !isRefused { refuse(.crowded, context) }
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
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind asks for more once a request was refused: what still comes is thrown away, as closing
        // on unread bytes would take the answer from the client.
        if isRefused { context.read() }
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
        isRefused = true
        let answer = context.channel.allocator.buffer(string: refusal.response)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(answer))).whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
    }
}

/// Hummingbird's connections with a guard before each, and a limit to their number.
struct GuardedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private final class Count: Sendable {
        let served = Atomic<Int>(0)
        let turnedAway = Atomic<Int>(0)
    }

    private let inner: HTTP1Channel
    private let limits: ConnectionLimits
    private let count = Count()

    init(_ inner: HTTP1Channel, limits: ConnectionLimits) {
        self.inner = inner
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let count = self.count
        let isCrowded = count.served.add(1, ordering: .relaxed).newValue > limits.connections
        if isCrowded {
            count.served.subtract(1, ordering: .relaxed)
            guard count.turnedAway.add(1, ordering: .relaxed).newValue <= limits.connections else {
                count.turnedAway.subtract(1, ordering: .relaxed)
                channel.close(promise: nil)
                return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
            }
        }
        channel.closeFuture.whenComplete { _ in
            if isCrowded {
                count.turnedAway.subtract(1, ordering: .relaxed)
            } else {
                count.served.subtract(1, ordering: .relaxed)
            }
        }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                ConnectionGuard(limits: limits, isCrowded: isCrowded))
        }.flatMap { inner.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await inner.handle(value: value, logger: logger) }
}
