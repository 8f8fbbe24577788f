// A second language is a second file of this shape, chosen here.
export { en as strings } from "./en";
