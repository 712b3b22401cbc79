import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

const line = (text: string, name: string) => text.split('\n').filter((each) => each.startsWith(name));

test('counts exchanges under labels that clients cannot multiply', async () => {
  const metrics = createMetrics(Date.now);
  for (let i = 0; i < 50; i += 1) {
    metrics.request({ gateway: 'a/b', method: `made/up${i}`, decision: 'allow', code: 'ok', durationMs: 3 });
  }
  metrics.request({
    gateway: 'a/b',
    method: 'tools/call',
    decision: 'deny',
    code: 'rule_denied',
    durationMs: 3,
  });
  expect(line(await metrics.text(), 'gatehouse_proxy_requests_total{')).toEqual([
    'gatehouse_proxy_requests_total{gateway="a/b",method="other",decision="allow",code="ok"} 50',
    'gatehouse_proxy_requests_total{gateway="a/b",method="tools/call",decision="deny",code="rule_denied"} 1',
  ]);
});

test('counts masks by what found them, without the keys and paths', async () => {
  const metrics = createMetrics(Date.now);
  const found = ['key:token', 'key:api_key', 'payment-card'].map((detector) => ({ path: '$.x', detector }));
  metrics.masked('a/b', found);
  const masks = line(await metrics.text(), 'gatehouse_proxy_masked_total{');
  expect(masks).toEqual([
    'gatehouse_proxy_masked_total{gateway="a/b",detector="key"} 2',
    'gatehouse_proxy_masked_total{gateway="a/b",detector="payment-card"} 1',
  ]);
});

test('counts apart what policies that only count would have masked', async () => {
  const metrics = createMetrics(Date.now);
  metrics.audited('a/b', [{ path: '$.x', detector: 'email' }]);
  const text = await metrics.text();
  expect(line(text, 'gatehouse_proxy_audited_total{')).toEqual([
    'gatehouse_proxy_audited_total{gateway="a/b",detector="email"} 1',
  ]);
  expect(line(text, 'gatehouse_proxy_masked_total{')).toEqual([]);
});

test('names of detectors are bounded', async () => {
  const metrics = createMetrics(Date.now);
  metrics.masked(
    'a/b',
    Array.from({ length: 600 }, (_, i) => ({ path: '$', detector: `d${i}` })),
  );
  const masks = line(await metrics.text(), 'gatehouse_proxy_masked_total{');
  expect(masks).toHaveLength(301);
  expect(masks.at(-1)).toBe('gatehouse_proxy_masked_total{gateway="a/b",detector="other"} 300');
});

test('shows only the bundle in force, and how old it is', async () => {
  let now = 0;
  const metrics = createMetrics(() => now);
  metrics.bundle('a/b', 'r1');
  now += 5_000;
  metrics.bundle('a/b', 'r1');
  expect(line(await metrics.text(), 'gatehouse_proxy_bundle_age_seconds{')).toEqual([
    'gatehouse_proxy_bundle_age_seconds{gateway="a/b"} 5',
  ]);
  metrics.bundle('a/b', 'r2');
  expect(line(await metrics.text(), 'gatehouse_proxy_bundle_info{')).toEqual([
    'gatehouse_proxy_bundle_info{gateway="a/b",revision="r2"} 1',
  ]);
  metrics.bundleRemoved('a/b');
  expect(line(await metrics.text(), 'gatehouse_proxy_bundle_')).toEqual([]);
});

test('reads the state of the recorder when it is scraped', async () => {
  const metrics = createMetrics(Date.now);
  const state = { ready: true, spoolBytes: 7, lagMs: 1500, setAside: 0 };
  metrics.observeRecorder(() => state);
  state.spoolBytes = 9;
  const text = await metrics.text();
  expect(line(text, 'gatehouse_proxy_recorder_')).toEqual([
    'gatehouse_proxy_recorder_ready 1',
    'gatehouse_proxy_recorder_spool_bytes 9',
    'gatehouse_proxy_recorder_lag_seconds 1.5',
    'gatehouse_proxy_recorder_set_aside 0',
  ]);
  expect(text).toContain('gatehouse_proxy_process_cpu_seconds_total');
});

test('holds and sessions go up and down', async () => {
  const metrics = createMetrics(Date.now);
  metrics.holdStarted('a/b');
  metrics.holdStarted('a/b');
  metrics.holdEnded('a/b', 'approved');
  metrics.sessionOpened('a/b');
  metrics.sessionClosed('a/b');
  const text = await metrics.text();
  expect(line(text, 'gatehouse_proxy_holds_')).toEqual([
    'gatehouse_proxy_holds_total{gateway="a/b",end="approved"} 1',
    'gatehouse_proxy_holds_waiting{gateway="a/b"} 1',
  ]);
  expect(line(text, 'gatehouse_proxy_sessions{')).toEqual(['gatehouse_proxy_sessions{gateway="a/b"} 0']);
});
