// The lowest Express that the adapter takes, beside the one that it is developed with.
declare module "express-4" {
  export { default } from "express";
}
