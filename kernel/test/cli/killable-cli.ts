// `sluice` with an executor that can be killed alone, by SIGUSR2.
import '../chaos/killable-executor.ts';
import '../../cli.ts';
