// Loaded into each thread of a process: its wall clock is so many milliseconds away from the true
// one.
const shift = Number(process.env['SLUICE_TEST_CLOCK'] ?? 0);
const { now } = Date;
Date.now = () => now() + shift;
