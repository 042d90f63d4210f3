/**
 * Ports above 1023 of services that read lines of text as commands, or hold data: databases, caches, queues, mail, remote
 * control. A request body could give them commands.
 */
const REFUSED_HIGH_PORTS: ReadonlySet<number> = new Set([
  1080, 1433, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 3659, 4045, 4190, 4222, 5060, 5061, 5432,
  5433, 5672, 5900, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 7001, 7199, 9042, 9092,
  9160, 9200, 9300, 10080, 10250, 10255, 11211, 11434, 26379, 27017, 27018, 27019, 28017, 50000,
]);

/** True for a port that a web server may use: 80, 443, and those above 1023 that do not belong to another service. */
export function mayUsePort(port: number): boolean {
  return port === 80 || port === 443 || (port > 1023 && !REFUSED_HIGH_PORTS.has(port));
}
