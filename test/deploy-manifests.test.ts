import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { variables } from '../src/config-variables.ts';
import { parsePostgresUrl } from '../src/postgres-url.ts';

const root = resolve(import.meta.dirname, '..');

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

type Environment = Readonly<Record<string, string>>;

interface Service {
  readonly image: string;
  readonly environment: Environment;
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly stop_grace_period: string;
  readonly ulimits?: { readonly nofile: number };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { ipam?: { config: readonly { subnet: string }[] } } | null>>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly timeoutSeconds?: number;
}

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly { readonly name: string; readonly valueFrom: object }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: object;
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly enableServiceLinks: boolean;
  readonly securityContext: object;
  readonly containers: readonly [Container];
  readonly volumes: readonly {
    readonly name: string;
    readonly emptyDir?: object;
    readonly secret?: object;
  }[];
  readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
}

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels: Labels;
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: Selector;
    readonly template: {
      readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
      readonly spec: Pod;
    };
  };
}

interface Kinds {
  readonly ConfigMap: { readonly metadata: { readonly name: string }; readonly data: Environment };
  readonly Deployment: Deployment;
  readonly Service: {
    readonly spec: { readonly selector: Labels; readonly ports: readonly { readonly targetPort: string }[] };
  };
  readonly PodDisruptionBudget: {
    readonly spec: { readonly selector: Selector; readonly maxUnavailable: number };
  };
  readonly HorizontalPodAutoscaler: {
    readonly spec: { readonly minReplicas: number; readonly scaleTargetRef: { readonly name: string } };
  };
  readonly NetworkPolicy: {
    readonly spec: {
      readonly podSelector: Selector;
      readonly ingress: readonly { readonly ports: readonly { readonly port: string }[] }[];
    };
  };
}

const compose: Compose = parse(read('deploy/compose/compose.yaml'), { merge: true });
const gateways = Object.entries(compose.services).filter(([name]) => name.startsWith('gateway-'));
const haproxy = read('deploy/compose/haproxy.cfg');
const dockerfile = read('Dockerfile');
const documents = parseAllDocuments(read('deploy/kubernetes/gateway.yaml'));
const manifests = Object.fromEntries(
  documents.map((document) => {
    const manifest = document.toJS();
    return [manifest.kind, manifest];
  }),
) as Kinds;
const { spec: deployment } = manifests.Deployment;
const pod = deployment.template.spec;
const [container] = pod.containers;

/** What an example file sets. */
function settingsIn(example: string): Environment {
  const lines = example.matchAll(/^([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

/** How long a gateway may take over its end, in ms. */
function shutdownMs(): number {
  const [, ms = ''] = /^const shutdownMs = ([0-9_]+);$/m.exec(read('src/run-gateway.ts')) ?? [];
  return Number(ms.replaceAll('_', ''));
}

test('each variable that is set for the gateway exists, and takes its value', () => {
  const set: [string, string][] = [
    ...gateways.flatMap(([, { environment }]) => Object.entries(environment)),
    ...Object.entries(settingsIn(read('deploy/compose/gateway.env.example'))),
    ...Object.entries(manifests.ConfigMap.data),
    ...container.env.map(({ name }): [string, string] => [name, '']),
  ];
  const kinds: Readonly<Record<string, { safeParse(value: string): { success: boolean } } | undefined>> =
    variables.shape;
  const wrong = set.filter(([name, value]) => {
    const kind = kinds[name];
    return !kind || (value !== '' && !kind.safeParse(value).success);
  });
  expect(set.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

test('what a gateway cannot do without is set in both', () => {
  const needed = ['STORE_URL', 'PUBLIC_URL', 'PINGUP_BUSINESS_NAME', 'PINGUP_API_KEY', 'CALLBACK_TOKEN'];
  const inCompose = {
    ...settingsIn(read('deploy/compose/gateway.env.example')),
    ...gateways[0]?.[1].environment,
  };
  const inKubernetes = [...Object.keys(manifests.ConfigMap.data), ...container.env.map(({ name }) => name)];
  expect(needed.filter((name) => !(name in inCompose))).toEqual([]);
  expect(needed.filter((name) => !inKubernetes.includes(name))).toEqual([]);
  expect(container.envFrom).toEqual([{ configMapRef: { name: manifests.ConfigMap.metadata.name } }]);
});

test('no secret has a value in any of them', () => {
  const { PINGUP_API_KEY, CALLBACK_TOKEN } = settingsIn(read('deploy/compose/gateway.env.example'));
  expect([PINGUP_API_KEY, CALLBACK_TOKEN]).toEqual(['', '']);
  expect(container.env.every(({ valueFrom }) => 'secretKeyRef' in valueFrom)).toBe(true);
});

test('ports and paths are those of the image, of the routes, and of the load balancer', () => {
  const { PORT, METRICS_PORT } = manifests.ConfigMap.data;
  expect(dockerfile).toContain(`EXPOSE ${PORT}`);
  expect(container.ports).toEqual([
    { name: 'http', containerPort: Number(PORT) },
    { name: 'metrics', containerPort: Number(METRICS_PORT) },
  ]);
  expect(deployment.template.metadata.annotations['prometheus.io/port']).toBe(METRICS_PORT);
  expect(manifests.Service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['http']);
  const policyPorts = manifests.NetworkPolicy.spec.ingress.flatMap(({ ports }) =>
    ports.map(({ port }) => port),
  );
  expect(policyPorts).toEqual(['http', 'metrics']);

  expect(gateways.map(([, { environment }]) => environment['PORT'])).toEqual([PORT, PORT, PORT]);
  const servers = [...haproxy.matchAll(/^ +server (\S+) (\S+)/gm)].map(([, , address]) => address);
  const addresses = gateways.map(([name]) => `${name}:${PORT}`);
  expect(servers).toEqual([...addresses, ...addresses]);
});

test('liveness asks /healthz and readiness /readyz, as long as the store may take to say no', () => {
  const routes = read('src/http/health.ts');
  const { startupProbe, livenessProbe, readinessProbe } = container;
  expect([startupProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/healthz']);
  expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
  expect(readinessProbe.timeoutSeconds).toBeGreaterThan(2);
  expect(haproxy).toContain('http-check send meth GET uri /readyz');
  for (const path of ['/healthz', '/readyz']) expect(routes).toContain(`app.get('${path}'`);
});

test('whoever stops a gateway waits for it', () => {
  const seconds = shutdownMs() / 1000;
  const [command, preStopSeconds] = container.lifecycle.preStop.exec.command;
  expect(seconds).toBeGreaterThan(5);
  expect(command).toBe('sleep');
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(preStopSeconds) + seconds + 5);
  for (const [, service] of gateways)
    expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThan(seconds + 5);
  const balancer = compose.services['load-balancer'];
  const [, hardStop = ''] = /^ +hard-stop-after ([0-9]+)s$/m.exec(haproxy) ?? [];
  expect(Number.parseInt(balancer?.stop_grace_period ?? '', 10)).toBeGreaterThan(Number(hardStop));
});

test('a gateway runs as the image’s user, without rights, and can write nowhere but where the image has its volume', () => {
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const [, volume] = /^VOLUME (\S+)$/m.exec(dockerfile) ?? [];
  const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
  expect(writable.map(({ mountPath }) => mountPath)).toEqual([volume]);
  expect(pod.volumes.map((each) => Object.keys(each).toSorted())).toEqual([
    ['emptyDir', 'name'],
    ['name', 'secret'],
  ]);
  for (const [, { user, read_only, tmpfs, cap_drop }] of gateways)
    expect({ user, read_only, tmpfs, cap_drop }).toEqual({
      user: 'node',
      read_only: true,
      tmpfs: [volume],
      cap_drop: ['ALL'],
    });
});

test('in Kubernetes, all selectors find the gateway’s pods, and one of three or more may go at a time', () => {
  const { labels } = deployment.template.metadata;
  const { Deployment, Service, PodDisruptionBudget, HorizontalPodAutoscaler, NetworkPolicy } = manifests;
  const selectors = [
    deployment.selector.matchLabels,
    Service.spec.selector,
    PodDisruptionBudget.spec.selector.matchLabels,
    NetworkPolicy.spec.podSelector.matchLabels,
    ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
  ];
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  expect(selectors).toEqual(selectors.map(() => labels));
  expect(HorizontalPodAutoscaler.spec.scaleTargetRef.name).toBe(Deployment.metadata.name);
  expect(HorizontalPodAutoscaler.spec.minReplicas).toBeGreaterThanOrEqual(3);
  expect(deployment.replicas).toBeUndefined();
  expect(PodDisruptionBudget.spec.maxUnavailable).toBe(1);
  // Kubernetes would set PINGUP_GATEWAY_SERVICE_HOST and its like, in the midst of our names.
  expect(pod.enableServiceLinks).toBe(false);
});

test('sockets find an open file: one in a gateway, two in the load balancer', () => {
  const [, maxconn = ''] = /^ +maxconn ([0-9]+)$/m.exec(haproxy) ?? [];
  const sockets = variables.shape.MAX_SOCKETS.parse(undefined);
  const files = (service?: Service) => service?.ulimits?.nofile ?? 0;
  for (const [, service] of gateways) expect(files(service)).toBeGreaterThan(2 * sockets);
  expect(Number(maxconn)).toBeGreaterThanOrEqual(gateways.length * sockets);
  expect(files(compose.services['load-balancer'])).toBeGreaterThan(2 * Number(maxconn));
});

test('PostgreSQL loses nothing, and nobody but the gateways reaches it', () => {
  const { command, networks, volumes } = compose.services['postgres'] ?? {};
  // Each is safe by default.
  expect(command?.join(' ')).not.toMatch(/fsync|full_page_writes|synchronous_commit/);
  // The place of the image's volume since version 18: at another one its files would go with the container.
  expect(volumes).toContain('postgres-data:/var/lib/postgresql');
  expect(networks).toEqual(['store']);
  expect(compose.networks['store']).toEqual({ internal: true });
  const published = Object.entries(compose.services).filter(([, { ports }]) => ports);
  expect(published.map(([name]) => name)).toEqual(['load-balancer']);
});

test('the password of the store is in a file, which both sides read', () => {
  const [, { environment = {}, secrets } = {}] = gateways[0] ?? [];
  const file = environment['STORE_PASSWORD_FILE'];
  expect(secrets).toEqual(['store-password']);
  expect(file).toBe('/run/secrets/store-password');
  expect(read('deploy/compose/postgres-password.sql')).toContain(`cat ${file}`);
  for (const address of [environment['STORE_URL'], manifests.ConfigMap.data['STORE_URL']])
    expect(parsePostgresUrl(address ?? '')).toMatchObject({ user: 'gateway', password: null });
  const { STORE_URL = '', STORE_PASSWORD_FILE = '' } = manifests.ConfigMap.data;
  const [mounted] = container.volumeMounts.filter(({ readOnly }) => readOnly);
  expect(STORE_PASSWORD_FILE).toBe(`${mounted?.mountPath}/password`);
  expect(parsePostgresUrl(STORE_URL)?.tls).toMatchObject({
    mode: 'verify-full',
    rootCert: `${mounted?.mountPath}/ca.crt`,
  });
});

test('PostgreSQL has a connection for each that the nodes may take', () => {
  const [, most = ''] = /max_connections=([0-9]+)/.exec(String(compose.services['postgres']?.command)) ?? [];
  const each = variables.shape.STORE_CONNECTIONS.parse(undefined);
  // One node more while one is replaced, and what PostgreSQL keeps for its administrators.
  expect(Number(most)).toBeGreaterThanOrEqual((gateways.length + 1) * each + 10);
});

test('the load balancer tells clients apart, shows the world what is for it, logs no address, and repeats no send', () => {
  const [subnet] = compose.networks['front']?.ipam?.config ?? [];
  for (const [, { environment }] of gateways) expect(environment['TRUST_PROXY']).toBe(subnet?.subnet);
  expect(haproxy).toContain('http-request set-header X-Forwarded-For %[src]');
  expect(haproxy).toContain('return status 404 unless { path /graphql } or { path_beg /callbacks/pingup/ }');
  expect(haproxy).not.toMatch(/option httplog|%r|%HU|%HP/);
  const [, sends = '', callbacks = ''] = haproxy.split(/^backend /m);
  expect(sends).toContain('retry-on conn-failure\n');
  expect(callbacks).toContain('retry-on all-retryable-errors\n');
});
