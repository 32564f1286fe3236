// The Kubernetes manifests of a job. A StatefulSet with one replica runs at most one instance, and
// keeps its volume. Settings come from a ConfigMap and secrets from a Secret of another file, both
// by reference.
import { variablesOf } from '../job/configuration.ts';
import type { JobData } from '../job/job-data.ts';

/** In the container these are given by the image. */
const ofImage = new Set(['SLUICE_STATE_DIR', 'SLUICE_HTTP_PORT', 'SLUICE_HTTP_HOST']);

export function kubernetesText(data: JobData): string {
  // The name of a Service begins with a letter.
  const name = /^[a-z]/.test(data.name) ? data.name : `job-${data.name}`;
  const settings = variablesOf(data).flatMap(({ name: variable, byDefault, isNeeded }) =>
    ofImage.has(variable) || (byDefault === '' && !isNeeded) ? [] : [`  ${variable}: ${JSON.stringify(byDefault)}`],
  );
  const others = [
    ...(data.registries.isUsed ? [['SLUICE_REGISTRY', ''] as const] : []),
    ...(data.params ?? []).flatMap((param) =>
      // A key of a ConfigMap.
      /^[-._A-Za-z0-9]+$/.test(param)
        ? [[`SLUICE_PARAM_${param}`, data.paramDefaults[param]?.text ?? ''] as const]
        : [],
    ),
  ].map(([variable, text]) => `  # ${variable}: ${JSON.stringify(text)}`);
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  labels: { app.kubernetes.io/name: ${name} }
data:
${[...settings, ...others].join('\n')}
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: { app.kubernetes.io/name: ${name} }
spec:
  clusterIP: None
  selector: { app.kubernetes.io/name: ${name} }
  ports:
    - { name: http, port: 8080, targetPort: http }
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: ${name}
  labels: { app.kubernetes.io/name: ${name} }
spec:
  serviceName: ${name}
  # The state has one owner. A second instance would be refused.
  replicas: 1
  selector:
    matchLabels: { app.kubernetes.io/name: ${name} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: ${name} }
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
    spec:
      # Longer than SLUICE_GRACE_SECONDS.
      terminationGracePeriodSeconds: 40
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        fsGroup: 1000
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: job
          image: ${data.name}:latest
          imagePullPolicy: IfNotPresent
          envFrom:
            - configMapRef: { name: ${name} }
            # Passwords, SLUICE_CONNECTIONS or SLUICE_REGISTRY_AUTH: kubectl create secret generic ${name} --from-env-file=secrets.env
            - secretRef: { name: ${name}, optional: true }
          ports:
            - { name: http, containerPort: 8080 }
          startupProbe:
            httpGet: { path: /health, port: http }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /health, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: /ready, port: http }
            periodSeconds: 5
            timeoutSeconds: 5
          resources:
            requests: { cpu: 250m, memory: 512Mi }
            limits: { memory: 2Gi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: state, mountPath: /state }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: tmp
          emptyDir: {}
  volumeClaimTemplates:
    - metadata:
        name: state
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: 10Gi
`;
}
