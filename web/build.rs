//! Registers `schema.graphql` with cynic, so that every operation of the client is checked against
//! the API's schema while compiling: a change of the API that breaks a page breaks the build.

fn main() -> Result<(), cynic_codegen::registration::SchemaRegistrationError> {
    cynic_codegen::register_schema("dash")
        .from_sdl_file("../schema.graphql")?
        .as_default()?;
    Ok(())
}
