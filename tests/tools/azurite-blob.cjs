// Runs Azurite's blob service until standard input ends, so that it never outlives the tests that started it.
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
require('azurite/dist/src/blob/main.js');
