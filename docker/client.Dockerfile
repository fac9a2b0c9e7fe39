# Build from the top of the repository: docker build -f docker/client.Dockerfile -t federated-client .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish Client/Federated.Client -c Release -o /app && mkdir /state

# The client is published framework-dependent: it needs the runtime, which a runtime-deps image does not have.
FROM mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /app .
COPY --from=build --chown=$APP_UID:$APP_UID /state /state
USER $APP_UID
VOLUME /state
ENTRYPOINT ["dotnet", "Federated.Client.dll"]
CMD ["--help"]
