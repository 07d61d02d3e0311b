import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** As keeper.c, by what Java has; with so many megabytes of memory, whose digest it says too. */
public final class Keeper {
	private static final long PERIOD = 400_000_000L;
	/** Milliseconds are what some of these ways count in. */
	private static final long ROUNDING = 2_000_000L;

	private interface Way {
		void await() throws InterruptedException;
	}

	private static final Map<String, double[]> kept = new ConcurrentSkipListMap<>();

	private static void keep(String name, Way way) {
		Thread thread = new Thread(() -> {
			try {
				for (;;)
					once(name, way);
			} catch (InterruptedException interrupted) {
				System.exit(1);
			}
		});
		thread.setDaemon(true);
		thread.start();
	}

	private static void once(String name, Way way) throws InterruptedException {
		long until = System.nanoTime() + PERIOD;
		way.await();
		long late = System.nanoTime() - until;
		kept.compute(name, (key, before) -> {
			double[] account = before == null ? new double[3] : before.clone();
			account[0]++;
			account[1] = Math.max(account[1], late / 1e6);
			account[2] += late < -ROUNDING ? 1 : 0;
			return account;
		});
	}

	private static ReentrantLock heldByAnother() {
		ReentrantLock lock = new ReentrantLock();
		Thread holder = new Thread(() -> {
			lock.lock();
			for (;;)
				LockSupport.park();
		});
		holder.setDaemon(true);
		holder.start();
		return lock;
	}

	private static void park() {
		long until = System.nanoTime() + PERIOD;
		for (long left; (left = until - System.nanoTime()) > 0;)
			LockSupport.parkNanos(left);
	}

	/** Another thread's notice may come for no reason. */
	private static void waitFor(Object monitor) throws InterruptedException {
		long until = System.nanoTime() + PERIOD;
		synchronized (monitor) {
			for (long left; (left = until - System.nanoTime()) > 0;)
				monitor.wait(left / 1_000_000 + 1);
		}
	}

	/** Megabytes of its own, the same in every run. */
	private static long[] memory(int megabytes) {
		return new Random(7).longs(megabytes * 131_072L).toArray();
	}

	private static String text() {
		StringBuilder text = new StringBuilder();
		kept.forEach((name, account) -> text.append(text.isEmpty() ? "" : ", ").append(
			String.format(Locale.ROOT, "\"%s\": [%.0f, %.1f, %.0f]", name, account[0], account[1], account[2])));
		return text.toString();
	}

	public static void main(String[] arguments) throws InterruptedException {
		long[] memory = memory(Integer.parseInt(arguments[0]));
		ReentrantLock lock = heldByAnother();
		LinkedBlockingQueue<Object> empty = new LinkedBlockingQueue<>();
		Object monitor = new Object();
		keep("sleep", () -> Thread.sleep(PERIOD / 1_000_000));
		keep("park", Keeper::park);
		keep("wait", () -> waitFor(monitor));
		keep("lock", () -> lock.tryLock(PERIOD, TimeUnit.NANOSECONDS));
		keep("queue", () -> empty.poll(PERIOD, TimeUnit.NANOSECONDS));
		long before = System.nanoTime();
		int back = 0;
		for (int i = 1;; i++) {
			Thread.sleep(1);
			long now = System.nanoTime();
			back += now < before ? 1 : 0;
			before = now;
			if (i % 200 == 0)
				System.out.printf(Locale.ROOT, "{\"monotonic\": %.3f, \"boottime\": %.3f, \"back\": %d, \"memory\": %d, \"kept\": {%s}}%n",
					now / 1e9, now / 1e9, back, Arrays.hashCode(memory), text());
		}
	}
}
