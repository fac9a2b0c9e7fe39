# Build from the top of the repository: docker build -f docker/server.Dockerfile -t federated-server .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish Server/Federated.Server -c Release -o /app && mkdir /store

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /app .
COPY --from=build --chown=$APP_UID:$APP_UID /store /store
USER $APP_UID
VOLUME /store
EXPOSE 5400 5401
# Within a container loopback reaches nobody: publish the API's port 5400 on loopback alone, see docs/SECURITY.md.
ENTRYPOINT ["dotnet", "Federated.Server.dll"]
CMD ["serve", "--address", "0.0.0.0", "--api-address", "0.0.0.0", "--storage", "/store"]
