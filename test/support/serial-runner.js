import JestRunner from "jest-runner";

/** One test file after another: the end-to-end tests share one machine, its nodes and its clock. */
export default class SerialRunner extends JestRunner {
  isSerial = true;
}
